"""What Bird says, in the broker's words: answers to a hand-over, and webhooks. Tables and pure functions."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from broker.spi import (
    Accepted,
    Inbound,
    NotAccepted,
    Outcome,
    Reason,
    Receipt,
    ReceiptStatus,
    Rejected,
    ReportedFact,
    Unknown,
    retry_after_s,
)
from waypost_bird.settings import BirdSettings

STATUSES: Mapping[str, ReceiptStatus] = {
    "accepted": ReceiptStatus.SENT,
    "processing": ReceiptStatus.SENT,
    "scheduled": ReceiptStatus.SENT,
    "sent": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "rejected": ReceiptStatus.DELIVERY_FAILED,
    "sending_failed": ReceiptStatus.DELIVERY_FAILED,
    "delivery_failed": ReceiptStatus.DELIVERY_FAILED,
    "deleted": ReceiptStatus.DELIVERY_FAILED,
}
"""The nine of the document. Where several mean the same to the broker, a receipt's code tells them apart."""

FAILURES: Mapping[str, Reason] = {
    "rejected": Reason.REFUSED_BY_PROVIDER,
    "sending_failed": Reason.PROVIDER_UNAVAILABLE,
    "delivery_failed": Reason.UNDELIVERABLE,
    "deleted": Reason.REFUSED_BY_PROVIDER,
}
"""Why the message failed, by its status."""

REFUSED_FIELDS: Mapping[str, Reason] = {
    "receiver": Reason.INVALID_RECIPIENT,
    "sender": Reason.INVALID_SENDER,
    "body": Reason.CONTENT_UNSUPPORTED,
    "template": Reason.CONTENT_UNSUPPORTED,
    "tags": Reason.CONTENT_UNSUPPORTED,
    "shortLinks": Reason.CONTENT_UNSUPPORTED,
    "replyTo": Reason.REFUSED_BY_PROVIDER,
    "reference": Reason.REFUSED_BY_PROVIDER,
    "meta": Reason.REFUSED_BY_PROVIDER,
    "notification": Reason.REFUSED_BY_PROVIDER,
    "validity": Reason.REFUSED_BY_PROVIDER,
    "capFrequency": Reason.REFUSED_BY_PROVIDER,
}
"""What we say in a request, and why a message is refused whose request is wrong there."""

INCOMING = "incoming"
DIRECTIONS: Mapping[str, str] = {"sms.inbound": INCOMING, "sms.outbound": "outgoing"}
"""The events that are about messages, and which way those go."""

BUSY = 429
NOT_TAKEN = frozenset({401, 402, 403, BUSY})
"""Refused before anything is looked at: nothing is wrong with the message."""

INVALID = frozenset({400, 422})
CONFLICT = 409
NOT_FOUND = 404

CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
WORD = re.compile(r"[A-Za-z]+")
NOT_IN_A_CODE = re.compile(r"[^A-Za-z0-9_.:-]+")
LONG_NUMBER = re.compile(r"\+?[0-9][0-9 ().-]{4,}[0-9]")
CODE_CHARACTERS_MAX = 64
TOLD_CHARACTERS_MAX = 300
REFERENCES_MAX = 20


def outcome(
    status: int, headers: Mapping[str, str], body: bytes, settings: BirdSettings, now_us: int
) -> Outcome:
    """What an answer to a hand-over says became of the message."""
    document = read_json(body)
    if 200 <= status < 300:
        return _taken(document, settings)
    code = _error_code(document)
    if status in NOT_TAKEN:
        pause_s = retry_after_s(headers.get("Retry-After"), now_us) if status == BUSY else None
        return NotAccepted(pause_s, code or f"http_{status}")
    return _refused(status, document, code) if code else Unknown(f"http_{status}")


def _taken(document: object, settings: BirdSettings) -> Outcome:
    identity, status = _text(document, "id"), _text(document, "status")
    if not ID.fullmatch(identity):
        return Unknown("unreadable")
    if status in FAILURES:  # it says itself that it never will
        return Rejected(_reason(document, status, settings), _failure_code(document, status), _told(document))
    return Accepted((identity,))


def _refused(status: int, document: object, code: str) -> Outcome:
    """What an error in Bird's own words means; without them, a proxy may have spoken."""
    if status in INVALID:
        return _invalid(document, code)
    if status == NOT_FOUND:
        return NotAccepted(code=code, text="Bird knows no such workspace or channel")
    return NotAccepted(code=code, about_message=True) if status == CONFLICT else Unknown(code)


def _invalid(document: object, code: str) -> Rejected:
    """A request that did not pass validation: which of our fields, in our own words."""
    wrong = _field(document, "details")
    named = [WORD.match(str(each)) for each in wrong] if isinstance(wrong, dict) else []
    fields = sorted({each[0] for each in named if each and each[0] in REFUSED_FIELDS})
    reason = REFUSED_FIELDS[fields[0]] if len(fields) == 1 else Reason.REFUSED_BY_PROVIDER
    return Rejected(reason, code, f"did not pass validation: {', '.join(fields)}" if fields else "")


def _error_code(document: object) -> str:
    code = _text(document, "code")
    return code if CODE.fullmatch(code) else ""


def reported(body: bytes, settings: BirdSettings) -> Sequence[ReportedFact] | None:
    """What a webhook says; nothing for what is not about our messages, None where it makes no sense."""
    document = read_json(body)
    message = _field(document, "payload") if isinstance(_field(document, "payload"), dict) else document
    event = _text(document, "event")
    if event and event not in DIRECTIONS:
        return ()
    identity, channel_id = _text(message, "id"), _text(message, "channelId")
    if not ID.fullmatch(identity):
        return None
    if channel_id and channel_id not in settings.channel_ids:
        return ()
    if (_text(message, "direction") or DIRECTIONS.get(event)) == INCOMING:
        return _received(message, identity, channel_id, settings)
    status = _text(message, "status")
    if not status:
        return None
    return () if settings.receipts == "none" else (_receipt(message, identity, status, settings),)


def _receipt(message: object, identity: str, status: str, settings: BirdSettings) -> Receipt:
    means = STATUSES.get(status, ReceiptStatus.UNKNOWN)
    failed = status in FAILURES
    return Receipt(
        identity,
        means,
        recipient=_text(_first(_field(_field(message, "receiver"), "contacts")), "identifierValue"),
        code=_failure_code(message, status) if failed else _coded(status),
        text=_told(message),
        time_us=_time_us(_text(message, "lastStatusAt")),
        reason=_reason(message, status, settings) if failed else None,
    )


def _reason(message: object, status: str, settings: BirdSettings) -> Reason:
    failure = _field(message, "failure")
    codes = {_word(failure, "code"), _word(_field(failure, "source"), "code"), _text(message, "details")}
    return Reason.OPTED_OUT if codes & settings.opted_out_codes else FAILURES[status]


def _failure_code(message: object, status: str) -> str:
    """The status, and where and why it failed, as "delivery_failed sms-messagebird 1"."""
    failure = _field(message, "failure")
    source = _field(failure, "source")
    words = [status, _text(source, "name"), _word(source, "code") or _word(failure, "code")]
    return " ".join(_coded(each) for each in words if each)[:CODE_CHARACTERS_MAX]


def _told(message: object) -> str:
    """What Bird says for people, numbers in it hidden, and under which references the platform knows the parts."""
    failure = _field(message, "failure")
    words = _text(failure, "description") or _text(message, "details") or _text(message, "reason")
    told = LONG_NUMBER.sub("…", " ".join(words.split()))[:TOLD_CHARACTERS_MAX]
    parts = _field(message, "parts")
    found = [_text(each, "platformReference") for each in parts] if isinstance(parts, list) else []
    references = [each for each in found if ID.fullmatch(each)][:REFERENCES_MAX]
    if references:
        told = f"{told}{' ' if told else ''}(platform references: {', '.join(references)})"
    return told


def _received(
    message: object, identity: str, channel_id: str, settings: BirdSettings
) -> Sequence[ReportedFact] | None:
    sender = _text(_field(_field(message, "sender"), "contact"), "identifierValue")
    connector = _field(_field(message, "receiver"), "connector")
    recipient = _text(connector, "identifierValue") or settings.number_of(channel_id)
    if not sender or not recipient:
        return None
    reply_to = _field(message, "replyTo")
    answers = _text(reply_to, "id") if _text(reply_to, "type") == "message" else ""
    time_us = _time_us(_text(message, "createdAt"))
    return (Inbound(sender, recipient, _written(message), time_us, identity, answers),)


def _written(message: object) -> str:
    """What somebody wrote; media that came with it as their addresses, a line each."""
    body = _field(message, "body")
    said = _field(body, _text(body, "type"))
    lines = [_text(said, "text")]
    for name in ("images", "files", "attachments"):
        media = _field(said, name)
        lines += [_text(each, "mediaUrl") for each in media] if isinstance(media, list) else []
    return "\n".join(filter(None, lines))


def read_json(body: bytes) -> object:
    """The document in a body; None where there is none that could be read."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _time_us(written: str) -> int | None:
    """An RFC 3339 time; None where it is none."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * 1_000_000)


def _coded(word: str) -> str:
    return NOT_IN_A_CODE.sub("_", word)[:CODE_CHARACTERS_MAX]


def _word(document: object, name: str) -> str:
    """A code, which may be written as a number."""
    found = _field(document, name)
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _text(document: object, name: str) -> str:
    found = _field(document, name)
    return found if isinstance(found, str) else ""


def _field(document: object, name: str) -> object:
    return document.get(name) if isinstance(document, dict) else None


def _first(listed: object) -> object:
    return listed[0] if isinstance(listed, list) and listed else None
