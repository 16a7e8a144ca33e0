"""The fake Messenger without a socket: a request in, a reply out, and what it remembers."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import md5
from threading import Lock
from typing import Any

from waypost_groupcall.fake.rules import (
    KEYWORDS,
    complaint,
    filled,
    is_unicode,
    keyword_of,
    lowered,
    missing,
    units,
)
from waypost_groupcall.words import PATHS, Endpoint

USER_NAME = "waypost"
CUSTOMER_ID = "1362"
PASSWORD = "fake-customer-key"  # noqa: S105 - it opens nothing but this fake
PARTNER_KEY = "fake-partner-key"

INVALID = "Data is not valid, no messages sent"
NOT_AUTHORISED = "Partner account not authorized for this customer"
OPTED_OUT = "Recipient has opted out"
DELIVERED = ("Delivered", "")


@dataclass(frozen=True, slots=True)
class Reply:
    """What it answers; a str is a text, anything else a JSON document."""

    status: int
    document: Any


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that it took for one recipient. `fields` are in lower case, `said` is what was filled in."""

    message_id: str
    operation: str
    address: str
    fields: Mapping[str, Any]
    said: str
    style_class: str
    units: int


@dataclass(slots=True)
class FakeGroupcall:
    """A Messenger with one customer and one partner, who is authorised for that customer.

    `statuses` says what becomes of a message to an address, as ("Failed", "Invalid number"); all others are delivered.
    `taken` are the messages, `opt_ins` what recipients want by (ShortCode, RecipientNumber). Messages from
    `own_number` are not sent to who opted out of it. Calls from several threads are safe.
    """

    user_name: str = USER_NAME
    customers: dict[str, str] = field(default_factory=lambda: {CUSTOMER_ID: PASSWORD})
    partner_key: str = PARTNER_KEY
    authorised: set[str] = field(default_factory=lambda: {CUSTOMER_ID})
    own_number: str = "110002233213"
    paths: Mapping[Endpoint, str] = field(default_factory=lambda: PATHS)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    statuses: dict[str, tuple[str, str]] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    opt_ins: dict[tuple[str, str], bool] = field(default_factory=dict)
    keywords: list[Mapping[str, Any]] = field(default_factory=list)
    used: Counter[tuple[date, str, str]] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def handle(self, method: str, path: str, body: bytes) -> Reply:
        """Answer one request."""
        endpoint = next((each for each, known in self.paths.items() if known == path), None)
        if endpoint is None:
            return Reply(404, {"Message": "No HTTP resource was found"})
        if method != "POST":
            return Reply(405, {"Message": "The requested resource does not support this method"})
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            return Reply(400, {"Message": "The request is invalid"})
        with self._lock:
            return self._answer(endpoint, document)

    def status_of(self, taken: Taken) -> tuple[str, str]:
        """What becomes of a message: its status, and what is wrong with it."""
        if (
            not taken.fields.get("smssender")
            and self.opt_ins.get(self._pair(self.own_number, taken.address)) is False
        ):
            return ("Failed", OPTED_OUT)
        return self.statuses.get(taken.address, DELIVERED)

    def _answer(self, endpoint: Endpoint, document: Mapping[str, Any]) -> Reply:
        fields = lowered(document)
        match endpoint:
            case Endpoint.SMS | Endpoint.EMAIL | Endpoint.MULTI:
                return self._send(endpoint.value, fields)
            case Endpoint.OPT_IN:
                return self._set_opt_in(fields)
            case Endpoint.OPT_IN_COLLECTION:
                return self._set_opt_ins(fields)
            case Endpoint.GET_OPT_IN:
                return self._get_opt_in(fields)
            case Endpoint.USAGE:
                return self._usage(fields)

    def _send(self, operation: str, root: Mapping[str, Any]) -> Reply:
        """Several messages in messageData, or one whose fields are at the root."""
        entries = root.get("messagedata", [root])
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            return Reply(400, {"Message": "messageData is an array of objects"})
        every = [lowered(each) for each in entries]
        partner = root.get("partnerkey")
        for each in every:
            if refusal := self._stranger(each, partner):
                return self._told([refusal], root)
        for each in every:
            style_class = root.get("styleclass") or each.get("styleclass")
            if why := complaint(operation, each, style_class):
                return Reply(400, {"Message": why})
        results = [self._take(operation, each, root) for each in every]
        return self._told([result for group in results for result in group], root)

    def _stranger(self, fields: Mapping[str, Any], partner: object) -> dict[str, Any] | None:
        """The result for who is not known; None where the credentials are right."""
        customer = str(fields.get("customerid"))
        password = fields.get("password")
        known = customer in self.customers and self.customers[customer] == password
        if partner is not None:
            if partner != self.partner_key or (password is not None and not known):
                return _refused(INVALID)
            return None if customer in self.authorised else _refused(None, NOT_AUTHORISED)
        return None if known and fields.get("username") == self.user_name else _refused(INVALID)

    def _take(
        self, operation: str, fields: Mapping[str, Any], root: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        return [self._take_one(operation, fields, root, lowered(each)) for each in fields["recipients"]]

    def _take_one(
        self, operation: str, fields: Mapping[str, Any], root: Mapping[str, Any], recipient: Mapping[str, Any]
    ) -> dict[str, Any]:
        tokens = {**(fields.get("dynamictokens") or {}), **(recipient.get("dynamictokens") or {})}
        written = _text(fields)
        said = filled(written, tokens)
        address = str(
            recipient.get("mobilenumber") or recipient.get("emailaddress") or recipient.get("idaasid")
        )
        is_sms = bool(fields.get("smsmessage"))
        now = self.now()
        taken = Taken(
            message_id=self._new_id(fields, address, now),
            operation=operation,
            address=address,
            fields=fields,
            said=said,
            style_class=str(root.get("styleclass") or fields.get("styleclass") or ""),
            units=units(said) if is_sms else 1,
        )
        self.taken.append(taken)
        kind = "SMS" if is_sms else "Email" if operation == "email" else "App"
        self.used[now.date(), kind, "Messages"] += 1
        self.used[now.date(), kind, "Units"] += taken.units
        return {
            "MessageSentId": 0,
            "MessageId": taken.message_id,
            "statusMsg": "In Queue",
            "transmitDateTime": now.isoformat().replace("+00:00", "Z"),
            "ClientRef": fields.get("clientref"),
            "WarningMessages": ["Message is sent as Unicode"] if is_sms and is_unicode(said) else [],
        }

    def _new_id(self, fields: Mapping[str, Any], address: str, now: datetime) -> str:
        """An id in the printed form. It follows from the message, so that a test can tell it; a repetition has another."""
        key = message_key(str(fields["customerid"]), str(fields.get("clientref") or address))
        again = sum(each.message_id.endswith(key) for each in self.taken)
        return (
            f"{fields['customerid']}.{'20221107' if not again else now.strftime('%Y%m%d')}.{again:019d}-{key}"
        )

    def _set_opt_in(self, fields: Mapping[str, Any]) -> Reply:
        if name := missing("opt_in", fields):
            return Reply(400, {"Message": f"{name} is required"})
        if not self._is_customer(fields):
            return Reply(401, {"Message": "Not authorised"})
        result = self._told_keyword(fields)
        return Reply(400, {"Message": "Keyword is not known"}) if result is None else Reply(200, result)

    def _set_opt_ins(self, fields: Mapping[str, Any]) -> Reply:
        if not self._is_customer(fields):
            return Reply(401, {"Message": "Not authorised"})
        wishes = fields.get("optins")
        if not isinstance(wishes, list) or not wishes:
            return Reply(400, {"Message": "OptIns is an array"})
        results = [self._told_keyword(lowered(each)) for each in wishes if isinstance(each, dict)]
        return Reply(200, [each for each in results if each is not None])

    def _told_keyword(self, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        word = keyword_of(fields.get("keyword"))
        if word is None:
            return None
        pair = self._pair(str(fields.get("shortcode")), str(fields.get("recipientnumber")))
        self.keywords.append(fields)
        if (wish := KEYWORDS[word]) is not None:
            self.opt_ins[pair] = wish
        return self._kept(fields, self.opt_ins.get(pair, True))

    def _get_opt_in(self, fields: Mapping[str, Any]) -> Reply:
        if name := missing("get_opt_in", fields):
            return Reply(400, {"Message": f"{name} is required"})
        if not self._is_customer(fields):
            return Reply(401, {"Message": "Not authorised"})
        pair = self._pair(str(fields["shortcode"]), str(fields["recipientnumber"]))
        return Reply(200, self._kept(fields, self.opt_ins.get(pair)))

    def _kept(self, fields: Mapping[str, Any], wish: bool | None) -> dict[str, Any]:
        return {
            "ShortCode": fields["shortcode"],
            "RecipientNumber": fields["recipientnumber"],
            "IsOptedIn": None if wish is None else int(wish),
            "Message": "",
        }

    def _usage(self, fields: Mapping[str, Any]) -> Reply:
        if not self._is_customer(fields):
            return Reply(401, {"Message": "Not authorised"})
        try:
            first, last = (date.fromisoformat(str(fields[name])) for name in ("startdate", "enddate"))
        except (KeyError, ValueError):
            return Reply(400, {"Message": "StartDate and EndDate are days"})
        rows: dict[tuple[date, str], dict[str, Any]] = {}
        for (day, kind, what), count in sorted(self.used.items()):
            if first <= day <= last:
                row = rows.setdefault((day, kind), {"Date": day.isoformat(), "MessageType": kind})
                row[what] = count
        return Reply(200, {"CustomerId": fields["customerid"], "Usage": list(rows.values())})

    def _is_customer(self, fields: Mapping[str, Any]) -> bool:
        return self.customers.get(str(fields.get("customerid")), None) == fields.get("password")

    @staticmethod
    def _pair(short_code: str, number: str) -> tuple[str, str]:
        return short_code.removeprefix("+"), number.removeprefix("+")

    @staticmethod
    def _told(results: list[dict[str, Any]], root: Mapping[str, Any]) -> Reply:
        """One result, as it is printed, to a message at the root; else a result for each recipient."""
        return Reply(200, results[0] if "messagedata" not in root and len(results) == 1 else results)


def message_key(customer_id: str, reference: str) -> str:
    """What the id of a message ends with."""
    return md5(f"{customer_id}/{reference}".encode(), usedforsecurity=False).hexdigest()


def message_id(customer_id: str, reference: str) -> str:
    """The id of the first message of a customer's under a reference."""
    return f"{customer_id}.20221107.{0:019d}-{message_key(customer_id, reference)}"


def _text(fields: Mapping[str, Any]) -> str:
    for name in ("smsmessage", "xpressionsbody", "notificationmessage", "emailbody"):
        if fields.get(name):
            return str(fields[name])
    return ""


def _refused(error: str | None, *warnings: str) -> dict[str, Any]:
    return {
        "MessageSentId": 0,
        "MessageId": None,
        "errorMsg": error,
        "statusMsg": None,
        "transmitDateTime": None,
        "ClientRef": None,
        "WarningMessages": list(warnings),
    }
