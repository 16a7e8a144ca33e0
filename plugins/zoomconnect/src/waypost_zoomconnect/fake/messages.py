"""The fake's messages: sent, scheduled, delivered, replied to, read and deleted."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from waypost_zoomconnect.fake import texts
from waypost_zoomconnect.fake.wire import Refused

NUMBER = re.compile(r"\+?[0-9]{9,15}")
DATE = "%Y%m%d%H%M"
PAGE_SIZE = 100
OUR_NUMBER = "+27820000000"
ENDS = {"0002": "FAILED", "0003": "FAILED_REFUNDED", "0004": "FAILED_OPTOUT", "0011": "SENT"}
"""What becomes of messages, by the recipient's last digits; all others are delivered."""

REPLIES = {"0012": "YES", "0013": "STOP"}
REFUNDED = frozenset({"FAILED_REFUNDED", "FAILED_OPTOUT"})


@dataclass(slots=True)
class Messages:
    """All messages by id, and the callbacks that are due: pairs of a URL's kind and its fields.

    `credit` is what is left; `id_of` makes the id of a message that is sent, else they count up.
    """

    zone: ZoneInfo
    now: Callable[[], datetime]
    credit: float
    id_of: Callable[[Mapping[str, Any]], str] | None = None
    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)
    callbacks: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    last_id: int = 40_124_212

    def check(self, request: Mapping[str, Any]) -> None:
        """Raise Refused, with ZoomConnect's code, for what it would not send."""
        if not NUMBER.fullmatch(str(request.get("recipientNumber") or "")):
            raise Refused(400, "Invalid mobile number", 2)
        if not request.get("message"):
            raise Refused(400, "Message cannot be empty", 3)
        if texts.parts(str(request["message"])) > self.credit:
            raise Refused(400, "Insufficient credits")
        if request.get("dateToSend"):
            self._date(str(request["dateToSend"]))

    def send(self, request: Mapping[str, Any], default_date: str = "") -> str:
        """Take one message; answers its id. Raises Refused."""
        self.check(request)
        date = str(request.get("dateToSend") or default_date)
        due = self._date(date) if date else None
        self.last_id += 1
        found = self.id_of(request) if self.id_of else str(self.last_id)
        text = str(request["message"])
        self.credit -= texts.parts(text)
        self.by_id[found] = {
            "messageId": found,
            "messageType": "OUTBOUND",
            "messageStatus": "SCHEDULED" if due and due > self.now() else "SENT",
            "toNumber": request["recipientNumber"],
            "fromNumber": OUR_NUMBER,
            "message": text,
            "campaign": request.get("campaign"),
            "userDataField": request.get("dataField"),
            "dateTimeScheduled": date or None,
            "dateTimeSent": self._written(self.now()),
            "creditCost": float(texts.parts(text)),
            "numberOfMessages": texts.parts(text),
            "read": False,
            "deleted": False,
        }
        return found

    def deliver(self) -> None:
        """Let time pass: what is due is sent, what was sent ends, and whoever answers has answered."""
        for record in list(self.by_id.values()):
            scheduled = record["messageStatus"] == "SCHEDULED"
            if scheduled and self._date(record["dateTimeScheduled"]) <= self.now():
                record["messageStatus"] = "SENT"
            if record["messageType"] == "OUTBOUND" and record["messageStatus"] == "SENT":
                self._end(record)

    def _end(self, record: dict[str, Any]) -> None:
        tail = str(record["toNumber"])[-4:]
        record["messageStatus"] = ENDS.get(tail, "DELIVERED")
        if record["messageStatus"] in REFUNDED:
            self.credit += record["creditCost"]
        if record["messageStatus"] != "SENT":
            told = {"status": record["messageStatus"], "messageId": record["messageId"]}
            self.callbacks.append(("report", told))
        if tail in REPLIES:
            self.reply(record["messageId"], REPLIES[tail])

    def reply(self, message_id: str, text: str) -> str:
        """Somebody answers a message; answers the id of the reply."""
        sent = self.by_id[message_id]
        self.last_id += 1
        found, received = str(self.last_id), self._written(self.now())
        self.by_id[found] = {
            "messageId": found,
            "messageType": "INBOUND",
            "messageStatus": "UNKNOWN",
            "fromNumber": sent["toNumber"],
            "toNumber": sent["fromNumber"],
            "message": text,
            "campaign": sent["campaign"],
            "userDataField": sent["userDataField"],
            "dateTimeReceived": received,
            "repliedToMessage": {"messageId": message_id},
            "read": False,
            "deleted": False,
        }
        told = {
            "from": sent["toNumber"],
            "repliedToMessageId": message_id,
            "messageId": found,
            "message": text,
            "date": received,
            "campaign": sent["campaign"] or "",
            "dataField": sent["userDataField"] or "",
        }
        self.callbacks.append(("reply", told))
        return found

    def get(self, message_id: str) -> dict[str, Any]:
        """One message; raises Refused where there is none."""
        if message_id not in self.by_id:
            raise Refused(404)
        return self.by_id[message_id]

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """The messages that fit every filter, a page of them."""
        filters = {"type": "messageType", "status": "messageStatus", "dataField": "userDataField"}
        found = [
            record
            for record in self.by_id.values()
            if all(record[to] == query[name] for name, to in filters.items() if query.get(name))
            and all(
                record[name] is (query[name] == "true") for name in ("deleted", "read") if query.get(name)
            )
        ]
        size, number = int(query.get("pageSize") or PAGE_SIZE), int(query.get("page") or 1)
        return {
            "webServiceMessages": found[(number - 1) * size : number * size],
            "page": number,
            "pageSize": size,
            "elements": len(found[(number - 1) * size : number * size]),
            "totalElements": len(found),
            "totalPages": -(-len(found) // size),
        }

    def statistics(self, query: Mapping[str, str]) -> dict[str, Any]:
        """The report of the days from `from` to `to`, dd-MM-yyyy."""
        first, last = (
            datetime.strptime(query[name], "%d-%m-%Y").replace(tzinfo=self.zone).date()
            for name in ("from", "to")
        )
        in_credits = query.get("calculateCreditValue") == "true"
        total = dict.fromkeys(("total", "sent", "delivered", "failed", "failedRefunded", "failedOptout"), 0.0)
        names = {
            "FAILED_REFUNDED": "failedRefunded",
            "FAILED_OPTOUT": "failedOptout",
            "SCHEDULED": "sent",
        }
        for record in self.by_id.values():
            status = record["messageStatus"]
            hidden = status in REFUNDED and query.get("includeRefundedAndOptout") != "true"
            if record["messageType"] != "OUTBOUND" or hidden:
                continue
            if first <= self._date(record["dateTimeSent"]).date() <= last:
                counted = record["creditCost"] if in_credits else 1.0
                total[names.get(status, status.lower())] += counted
                total["total"] += counted
        return {
            "from": query["from"],
            "to": query["to"],
            "showingCreditValue": in_credits,
            "grandTotal": total,
        }

    def _date(self, written: str) -> datetime:
        try:
            return datetime.strptime(written, DATE).replace(tzinfo=self.zone)
        except ValueError:
            raise Refused(400, "Invalid date") from None

    def _written(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).strftime(DATE)


def callback_url(url: str, told: Mapping[str, str]) -> str:
    """Where a callback goes: the address from the developer settings, with what is told as its query."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(told)}"
