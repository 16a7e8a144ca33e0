"""What ZoomConnect tells: delivery reports, replies, and its records of messages, read into facts."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from broker import spi
from waypost_zoomconnect.exchange import fields, identity
from waypost_zoomconnect.settings import Meaning, ZoomConnectSettings

REPORT = frozenset({"status", "messageId"})
REPLY = frozenset({"from", "messageId", "message", "date"})
FIELDS_MAX = 64
STATUS_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
DATE = re.compile(r"[0-9]{12}")
PHONE = re.compile(r"\+?[0-9][0-9 ().-]{3,30}")

BAD = spi.CallbackAnswer(status=400, body=b"a delivery report or a reply is needed")

MEANINGS: Mapping[Meaning, spi.ReceiptStatus] = {
    Meaning.SENT: spi.ReceiptStatus.SENT,
    Meaning.DELIVERED: spi.ReceiptStatus.DELIVERED,
    Meaning.FAILED: spi.ReceiptStatus.DELIVERY_FAILED,
    Meaning.OPTED_OUT: spi.ReceiptStatus.DELIVERY_FAILED,
}
ENDS = frozenset({Meaning.DELIVERED, Meaning.FAILED, Meaning.OPTED_OUT})


def called_back(request: spi.CallbackRequest, settings: ZoomConnectSettings) -> spi.CallbackAnswer:
    """What a request to the callback address means: a delivery report or a reply, whichever of the two it holds.

    The guide says POST and prints a URL with a query, so fields are taken from both query and body.
    """
    told = posted(request)
    if told is None:
        return BAD
    if told.keys() >= REPLY and "status" not in told:
        return _answered(reply(told, settings))
    if told.keys() >= REPORT and "from" not in told:
        return _answered(receipt(told["messageId"], told["status"], settings))
    return BAD


def _answered(fact: spi.ReportedFact | None) -> spi.CallbackAnswer:
    return BAD if fact is None else spi.CallbackAnswer([fact])


def posted(request: spi.CallbackRequest) -> dict[str, str] | None:
    """The fields of a callback: of its query, and of a body that is a form or a JSON object. None: unreadable."""
    told = dict(request.query)
    if not request.body.strip():
        return told
    try:
        body = request.body.decode()
        if body.lstrip().startswith(("{", "[")):
            return told | {name: _text(value) for name, value in fields(json.loads(body)).items()}
        return told | dict(parse_qsl(body, keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except (ValueError, RecursionError):
        return None


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""


def receipt(message_id: object, status: object, settings: ZoomConnectSettings) -> spi.Receipt | None:
    """A delivery report; None where it names no message or no status."""
    found = identity(message_id)
    if not found or not isinstance(status, str) or not STATUS_WORD.fullmatch(status):
        return None
    meaning = settings.meaning(status)
    return spi.Receipt(
        found,
        MEANINGS.get(meaning, spi.ReceiptStatus.UNKNOWN),
        code=status,
        reason=spi.Reason.OPTED_OUT if meaning is Meaning.OPTED_OUT else None,
    )


def reply(told: Mapping[str, str], settings: ZoomConnectSettings) -> spi.Inbound | None:
    """A reply that was posted to us; None where it names neither message nor sender.

    It does not say which number was written to: that is `number` of the settings.
    """
    found, sender = identity(told["messageId"]), phone(told["from"], settings.country_code)
    if not found or not sender:
        return None
    time_us = minute_us(told["date"], settings.zone)
    answers = identity(told.get("repliedToMessageId"))
    return spi.Inbound(sender, settings.number, told["message"], time_us, found, answers)


def answered(record: object, settings: ZoomConnectSettings) -> spi.Outcome | spi.Receipt:
    """What a record of a message that we sent answers to the question what became of it."""
    told = fields(record)
    found = receipt(told.get("messageId"), told.get("messageStatus"), settings)
    if found is None:
        return spi.Unknown("unreadable")
    ended = settings.meaning(found.code) in ENDS
    return found if ended else spi.Accepted((found.provider_message_id,))


def inbound(record: object, settings: ZoomConnectSettings) -> spi.Inbound | None:
    """A record of a message that came in, as a fact; None where it is none.

    It counts as one to `number` of the settings, as those do that are posted to us: whichever of ZoomConnect's numbers
    somebody wrote to, we write from the same account.
    """
    told = fields(record)
    found, text = identity(told.get("messageId")), told.get("message")
    sender = phone(told.get("fromNumber"), settings.country_code)
    if (
        not found
        or not sender
        or not isinstance(text, str)
        or told.get("messageType", "INBOUND") != "INBOUND"
    ):
        return None
    time_us = moment_us(told.get("dateTimeReceived"), settings.zone)
    answers = identity(fields(told.get("repliedToMessage")).get("messageId"))
    return spi.Inbound(sender, settings.number, text, time_us, found, answers)


def phone(written: object, country_code: str) -> str:
    """A number with "+" and country code; other senders, as names and short numbers, as they are written.

    A "+" that nobody encoded arrives as a space, and national numbers begin with 0.
    """
    if not isinstance(written, str):
        return ""
    name = written.strip()
    if not PHONE.fullmatch(name):
        return name
    digits = re.sub("[^0-9]", "", name)
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if digits.startswith("0"):
        return f"+{country_code}{digits[1:]}"
    return name if len(digits) <= SHORT_DIGITS_MAX else f"+{digits}"


SHORT_DIGITS_MAX = 8
"""A number of so many digits is a short code and belongs to no country."""


def minute_us(written: str, zone: ZoneInfo) -> int | None:
    """The moment of a date yyyyMMddHHmm in microseconds since 1970 UTC; None where it is none."""
    if not DATE.fullmatch(written):
        return None
    try:
        there = datetime.strptime(written, "%Y%m%d%H%M").replace(tzinfo=zone)
    except ValueError:
        return None
    return round(there.timestamp()) * 1_000_000


def moment_us(written: Any, zone: ZoneInfo) -> int | None:
    """The moment of a record, which ZoomConnect writes as a date, in ISO 8601, or in milliseconds since 1970."""
    if isinstance(written, int) and not isinstance(written, bool) and 0 < written < MILLISECONDS_END:
        return written * 1_000
    if not isinstance(written, str):
        return None
    if DATE.fullmatch(written):
        return minute_us(written, zone)
    try:
        there = datetime.fromisoformat(written)
        there = there if there.tzinfo else there.replace(tzinfo=zone)
        return round(there.timestamp() * 1_000) * 1_000
    except (ValueError, OverflowError):
        return None


MILLISECONDS_END = 253_402_300_800_000
"""The year 10000: what is beyond is no moment."""
