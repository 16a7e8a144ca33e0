"""What the fake Bird answers and reports. It knows no network: requests come in and webhooks go out as values."""

import json
import re
import uuid
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from waypost_bird.fake.checks import wrong_with
from waypost_bird.signing import signature

PATH = re.compile(r"/workspaces/(?P<workspace>[^/]+)/channels/(?P<channel>[^/]+)/messages")
NAMESPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
DELIVERED = ("processing", "sent", "delivered")

SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "0002": ("processing", "sent", "delivery_failed"),
    "0003": ("processing", "sending_failed"),
    "0004": ("rejected",),
    "0005": ("processing", "deleted"),
    "0006": ("scheduled", "processing", "sent", "delivered"),
    "0009": ("rejected",),
    "0011": (),
}
"""What follows acceptance, by the last four digits of the recipient; else `DELIVERED`."""

FAILURES: Mapping[str, dict[str, Any]] = {
    "0002": {"description": "Unknown subscriber", "source": {"code": "1", "name": "sms-messagebird"}},
    "0003": {"description": "No price for the destination", "source": {"code": "9", "name": "accounting"}},
    "0004": {"description": "Unsupported media type", "source": {"code": "12002", "name": "pre-processing"}},
    "0005": {"description": "Deleted by a user", "source": {"code": "deleted", "name": "pre-processing"}},
    "0009": {"description": "Recipient unsubscribed", "source": {"code": "unsubscribed", "name": "contact"}},
}
"""Why, where it fails."""

REFUSED_TAIL = "0001"
BUSY_TAIL = "0008"
BUSY_TIMES = 1
ANSWER_LOST_TAIL = "0010"
REPLY_TAILS = {"0012": "YES", "0013": "STOP"}


@dataclass(frozen=True, slots=True)
class FakeChannel:
    """A channel: the number that it is installed with, and whether that can do MMS."""

    number: str
    mms: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request to be made to a webhook's address: signed when it is made."""

    url: str
    body: bytes


class FakeBird:
    """One workspace. `messages` are those that it took, newest last; `webhooks` wait to be sent, in their order.

    `subscription` is where it reports what names no address of its own; empty: nowhere. `books` counts what became
    of requests: "taken", and each status that a message ended with.
    """

    def __init__(
        self,
        workspace_id: UUID,
        channels: Mapping[UUID, FakeChannel],
        *,
        access_key: str,
        authorization: str = "AccessKey",
        signing_key: str = "",
        subscription: str = "",
    ) -> None:
        self.workspace_id = workspace_id
        self.channels = dict(channels)
        self.subscription = subscription
        self.messages: list[dict[str, Any]] = []
        self.webhooks: deque[Webhook] = deque()
        self.books: Counter[str] = Counter()
        self._credentials = f"{authorization} {access_key}"
        self._signing_key = signing_key.encode()
        self._busy: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._received = 0

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """The answer to a request, as the document tells it. Names of `headers` are in lower case."""
        if headers.get("authorization") != self._credentials:
            return _error(401, "Unauthorized", "the access key is not valid")
        found = PATH.fullmatch(path)
        channel_id = _uuid(found["channel"]) if found else None
        if found is None or _uuid(found["workspace"]) != self.workspace_id or channel_id not in self.channels:
            return _error(404, "NotFound", "The requested resource does not exist: channel not found")
        if method != "POST":
            return _error(405, "MethodNotAllowed", "a message is posted")
        document = _json(body)
        if not isinstance(document, dict):
            return _error(400, "BadRequest", "the body is no JSON object")
        return self._post(channel_id, document)

    def _post(self, channel_id: UUID, document: Mapping[str, Any]) -> Answered:
        wrong = wrong_with(document, datetime.now(UTC))
        if not wrong and _is_media(document.get("body")) and not self.channels[channel_id].mms:
            wrong = {"body.type": ["the channel is not MMS capable"]}
        number = str(document["receiver"]["contacts"][0]["identifierValue"]) if not wrong else ""
        if number.endswith(REFUSED_TAIL):
            wrong = {"receiver.contacts.0.identifierValue": ["not a mobile number"]}
        if wrong:
            return _error(422, "ValidationError", "The request did not pass validation", wrong)
        if number.endswith(BUSY_TAIL) and self._busy[str(document.get("reference"))] < BUSY_TIMES:
            self._busy[str(document.get("reference"))] += 1
            refusal = _error(429, "TooManyRequests", "Too many requests")
            return Answered(429, refusal.body, {**refusal.headers, "retry-after": "1"})
        message = self._take(channel_id, document, number)
        if number.endswith(ANSWER_LOST_TAIL):
            return _error(500, "InternalError", "something went wrong")
        return Answered(202, json.dumps(message).encode())

    def _take(self, channel_id: UUID, document: Mapping[str, Any], number: str) -> dict[str, Any]:
        """Keep a message, and what is to be reported about it."""
        self._sent[number] += 1
        now = _written(datetime.now(UTC))
        message = {
            "id": str(uuid.uuid5(NAMESPACE, f"{channel_id}/{number}/{self._sent[number]}")),
            "channelId": str(channel_id),
            "sender": {"connector": {**_CONNECTOR, "identifierValue": self.channels[channel_id].number}},
            "receiver": document["receiver"],
            "direction": "outgoing",
            "origin": {"type": "api", "id": str(self.workspace_id)},
            "parts": [],
            "status": "accepted",
            "reason": "",
            "details": "",
            "lastStatusAt": now,
            "createdAt": now,
            "updatedAt": now,
        }
        kept = ("reference", "meta", "replyTo", "tags", "shortLinks", "scheduledFor", "body", "template")
        message |= {name: document[name] for name in kept if name in document}
        if "tags" in message:
            message["tags"] = [each.lower() for each in document["tags"]]
        self.messages.append({**document, **message})
        self.books["taken"] += 1
        self._report(message, number, (document.get("notification") or {}).get("url") or self.subscription)
        return message

    def _report(self, message: Mapping[str, Any], number: str, url: str) -> None:
        tail = number[-4:]
        for status in SCRIPTS.get(tail, DELIVERED):
            told = {**message, "status": status, "lastStatusAt": _written(datetime.now(UTC))}
            if status == "sent":
                told["parts"] = [{"platformReference": f"part-{message['id'][:8]}"}]
            if status in {"rejected", "sending_failed", "delivery_failed", "deleted"}:
                told["failure"] = FAILURES[tail]
            self._tell(url, "sms.outbound", told)
            message = told
        self.books[str(message["status"])] += 1
        if tail in REPLY_TAILS:
            channel_id = UUID(str(message["channelId"]))
            self.say(REPLY_TAILS[tail], sender=number, channel_id=channel_id, url=url, reply_to=message["id"])

    def say(
        self,
        text: str,
        *,
        sender: str,
        channel_id: UUID,
        url: str = "",
        media: Sequence[str] = (),
        reply_to: str = "",
    ) -> str:
        """Somebody writes to a channel's number, or answers the message `reply_to`; answers Bird's id of it."""
        self._received += 1
        now = _written(datetime.now(UTC))
        body: dict[str, Any] = {"type": "text", "text": {"text": text}}
        if media:
            images = [{"mediaUrl": each} for each in media]
            body = {"type": "image", "image": {"images": images, "text": text}}
        identity = str(uuid.uuid5(NAMESPACE, f"in/{sender}/{self._received}"))
        self._tell(
            url or self.subscription,
            "sms.inbound",
            {
                "id": identity,
                "channelId": str(channel_id),
                "sender": {
                    "contact": {"id": identity, "identifierKey": "phonenumber", "identifierValue": sender}
                },
                "receiver": {"connector": _CONNECTOR},
                "body": body,
                "status": "delivered",
                "direction": "incoming",
                **({"replyTo": {"id": reply_to, "type": "message"}} if reply_to else {}),
                "lastStatusAt": now,
                "createdAt": now,
                "updatedAt": now,
            },
        )
        return identity

    def signed(self, webhook: Webhook, timestamp: int) -> dict[str, str]:
        """The headers with which a webhook is sent at a time in Unix seconds."""
        headers = {"content-type": "application/json"}
        if self._signing_key:
            headers["messagebird-request-timestamp"] = str(timestamp)
            headers["messagebird-signature"] = signature(
                self._signing_key, str(timestamp), webhook.url, webhook.body
            )
        return headers

    def _tell(self, url: str, event: str, message: Mapping[str, Any]) -> None:
        if url:
            told = {"service": "channels", "event": event, "payload": message}
            self.webhooks.append(Webhook(url, json.dumps(told, ensure_ascii=False).encode()))


_CONNECTOR = {
    "id": "123e4567-e89b-12d3-a456-426614174000",
    "annotations": {"name": "fake"},
    "types": ["sms"],
}


def _is_media(body: Any) -> bool:
    return isinstance(body, dict) and body.get("type") in {"image", "file"}


def _error(status: int, code: str, text: str, details: Mapping[str, Any] | None = None) -> Answered:
    document = {"code": code, "message": text, **({"details": details} if details else {})}
    return Answered(status, json.dumps(document).encode())


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
