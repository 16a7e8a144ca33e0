"""What Groupcall's callbacks say: statuses of messages, and what their recipients answer. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime

from broker.spi import CallbackAnswer, CallbackRequest, Inbound, Reason, Receipt, ReceiptStatus, ReportedFact
from waypost_groupcall.answers import CODE_CHARACTERS_MAX, read_json, remark
from waypost_groupcall.settings import GroupcallSettings
from waypost_groupcall.words import ERRORS, RECEIPTS, Report

REPLY_TO = "groupcall"
"""The address that a reply goes to where neither it nor the settings say which."""

REFUSED = CallbackAnswer(status=400, body=b"a message's id and status, or a reply, are needed")

_WHOLE_ID = re.compile(r".+-[0-9a-f]{32}")
_NUMBER = re.compile(r"[0-9]{8,15}")
_PLACEHOLDER = re.compile(r"\{[a-z]+\}")


def heard(request: CallbackRequest, settings: GroupcallSettings) -> CallbackAnswer:
    """The facts of a callback; a 4xx where it tells nothing."""
    said = _Said(_parameters(request), settings)
    facts: list[ReportedFact] = []
    if receipt := _receipt(said, settings):
        facts.append(receipt)
    if reply := _reply(said, settings):
        facts.append(reply)
    return CallbackAnswer(facts, body=b"OK") if facts else REFUSED


class _Said:
    """The parameters of a callback by what they are; "" where there is none, or nobody filled it in."""

    def __init__(self, parameters: Mapping[str, str], settings: GroupcallSettings) -> None:
        self._parameters = parameters
        self._settings = settings

    def __getitem__(self, field: str) -> str:
        for name in self._settings.names_in_callbacks(field):
            value = self._parameters.get(name, "")
            if value and not _PLACEHOLDER.fullmatch(value) and (field, value) != ("id", "0"):
                return value
        return ""


def _parameters(request: CallbackRequest) -> dict[str, str]:
    """Of the query, as the document says, and of a JSON body beside it; names in lower case."""
    found = dict(request.query)
    document = read_json(request.body) if request.body else None
    if isinstance(document, dict):
        found.update({k: str(v) for k, v in document.items() if isinstance(v, str | int) and k not in found})
    return {name.lower(): value for name, value in found.items()}


def _receipt(said: _Said, settings: GroupcallSettings) -> Receipt | None:
    identity, word = _identity(said), said["status"].strip()
    if not identity or not word:
        return None
    report = settings.known_statuses.get(word.lower())
    status = RECEIPTS[report] if report else ReceiptStatus.UNKNOWN
    error = said["error"]
    reason = None
    if status is ReceiptStatus.DELIVERY_FAILED:
        reason = Reason.OPTED_OUT if report is Report.OPTED_OUT else ERRORS.get(error.strip().lower())
    return Receipt(
        identity,
        status,
        recipient=_number(said["recipient"]),
        code="".join(each for each in word if each.isprintable())[:CODE_CHARACTERS_MAX] or "?",
        text=remark(error, settings.secrets),
        time_us=_time_us(said["time"]),
        reason=reason,
    )


def _identity(said: _Said) -> str:
    """The name that is surest to be the message's.

    That is MessageId where it is whole: {sentid} may be a part of it, or a number that no answer has told. Then our own
    reference is sure.
    """
    identity = said["id"]
    if _WHOLE_ID.fullmatch(identity):
        return identity
    return said["client_ref"] or identity


def _reply(said: _Said, settings: GroupcallSettings) -> Inbound | None:
    text, sender = said["reply"], _number(said["recipient"])
    if not text or not sender:
        return None
    return Inbound(
        sender=sender,
        recipient=said["reply_to"] or settings.short_code or REPLY_TO,
        text=text,
        time_us=_time_us(said["time"]),
        provider_message_id=said["reply_id"],
    )


def _number(address: str) -> str:
    """An address as the broker writes it: Groupcall's numbers may lack their plus, or have lost it in a query."""
    bare = address.strip()
    return f"+{bare}" if _NUMBER.fullmatch(bare) else bare


def _time_us(written: str) -> int | None:
    """Microseconds since 1970 UTC; None where it is no time, or names no time zone."""
    try:
        time = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", written))
    except ValueError:
        return None
    return round(time.timestamp() * 1_000_000) if time.tzinfo and time.year >= 1970 else None
