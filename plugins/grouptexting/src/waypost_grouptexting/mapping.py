"""What Group Texting's document says, as tables and pure functions: fields to send, numbers to judge, callbacks to read.

Every answer is a bare integer; what it means depends on the operation. A number that a table does not have means
nothing, and is Unknown.
"""

import re
from collections.abc import Iterable, Mapping

from broker import spi
from waypost_grouptexting.settings import GroupTextingSettings
from waypost_grouptexting.wire import Answered, Exchange, Lost, NotSent

SENT = 1
WRONG_CREDENTIALS = spi.NotAccepted(code="-1", text="Group Texting refuses the user or the password")
SEND_CODES: Mapping[int, spi.Outcome] = {
    SENT: spi.Accepted(),  # the answer is all there is: messages have no ids
    -1: WRONG_CREDENTIALS,
    -2: spi.NotAccepted(code="-2", text="the account at Group Texting has no credits left"),
    -5: spi.Rejected(spi.Reason.OPTED_OUT, "-5", "the number is on the account's opt-out list"),
    -7: spi.Rejected(spi.Reason.CONTENT_UNSUPPORTED, "-7", "too long, or a character that is not taken"),
    -10: spi.Unknown("-10", "Group Texting had an error of its own"),
    -104: spi.Rejected(spi.Reason.OPTED_OUT_GLOBALLY, "-104", "the number opted out of the long code"),
    -106: spi.Rejected(spi.Reason.INVALID_RECIPIENT, "-106", "the number is not of ten digits"),
}
"""What an answer to a sending means."""

NOT_PROCESSED = frozenset({429, 503})
"""Statuses of requests that were not processed. Group Texting documents 503; 429 is what everybody else says."""

REFUSED_CREDENTIALS = frozenset({401, 403})

TEN = 10
DIGITS_MAX = 15
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DIGITS = re.compile(r"[0-9]{3,15}")
_LOOSE = re.compile(r"[\s().+\-]+")

MICROS = 1_000_000


class NoAnswer(Exception):
    """Group Texting did not say what it was asked. The text tells the answer's code, never a secret."""


def phone_of(recipient: str, settings: GroupTextingSettings) -> str | None:
    """A recipient as Group Texting wants it; None where it cannot be one of its own."""
    digits = recipient.removeprefix("+")
    if not digits.isascii() or not digits.isdigit():
        return None
    if settings.number_form == "digits":
        return digits if len(digits) <= DIGITS_MAX else None
    national = digits.removeprefix(settings.country_code)
    return national if len(national) == TEN and national != digits else None


def correspondent_of(phone: str, settings: GroupTextingSettings) -> str | None:
    """A phone number as a callback has it, in E.164; a short code as it is; None where it is neither."""
    digits = _LOOSE.sub("", phone)
    if not _DIGITS.fullmatch(digits):
        return None
    if len(digits) == TEN and not phone.strip().startswith("+"):
        return f"+{settings.country_code}{digits}"
    return f"+{digits}" if len(digits) > TEN else digits


def refusal_of(message: spi.OutboundMessage, settings: GroupTextingSettings) -> spi.Rejected | None:
    """Why a message cannot even be asked for; None where it can."""
    if message.sender not in {"", settings.long_code}:
        return spi.Rejected(
            spi.Reason.INVALID_SENDER, "sender", "it sends from the long code of the settings alone"
        )
    if phone_of(message.recipient, settings) is None:
        form = f"+{settings.country_code} and ten digits" if settings.number_form == "ten_digits" else "E.164"
        return spi.Rejected(spi.Reason.INVALID_RECIPIENT, "recipient", f"a recipient is {form}")
    return None


def send_fields(message: spi.OutboundMessage, settings: GroupTextingSettings) -> dict[str, str]:
    """The form of a sending. The subject has to be there, and may be empty."""
    return {
        "phonenumber": phone_of(message.recipient, settings) or "",
        "subject": str(message.content.get("subject") or ""),
        "message": message.text,
    }


def number_in(answer: Answered) -> int | None:
    """The number that an answer is; None where it is none."""
    written = answer.body.strip()
    return int(written) if answer.status == 200 and _INTEGER.fullmatch(written) else None


def outcome_of(exchange: Exchange, now_us: int) -> spi.Outcome:
    """What became of a message."""
    match exchange:
        case NotSent(code):
            # All connections are busy: the broker is too fast.
            return spi.NotAccepted(code="throttled" if code == "busy" else code)
        case Lost(code):
            return spi.Unknown(code)
    if exchange.status in NOT_PROCESSED:
        pause_s = spi.retry_after_s(exchange.retry_after, now_us)
        return spi.NotAccepted(pause_s, f"http_{exchange.status}")
    if exchange.status in REFUSED_CREDENTIALS:
        return spi.NotAccepted(None, f"http_{exchange.status}", WRONG_CREDENTIALS.text)
    number = number_in(exchange)
    if number is None:
        return spi.Unknown("unreadable" if exchange.status == 200 else f"http_{exchange.status}")
    return SEND_CODES.get(number, spi.Unknown(str(number)))


def balance_of(exchange: Exchange) -> spi.UpstreamBalance:
    """The credits that the account has. Raises NoAnswer."""
    number = number_in(exchange) if isinstance(exchange, Answered) else None
    if number is None or number < 0:
        raise NoAnswer(f"credits/check: {said(exchange)}")
    return spi.UpstreamBalance(number * MICROS)


def said(exchange: Exchange) -> str:
    """The code of an answer, or of the failure to get one."""
    if not isinstance(exchange, Answered):
        return exchange.code
    number = number_in(exchange)
    if number is not None:
        return str(number)
    return "unreadable" if exchange.status == 200 else f"http_{exchange.status}"


WRITERS = ("phonenumber", "from")
"""Who wrote: of a keyword by itself, and of anything else. Names are compared without case, as the document mixes it."""


def inbound_of(query: Iterable[tuple[str, str]], settings: GroupTextingSettings) -> spi.Inbound | None:
    """What somebody wrote, from either callback; None where it makes no sense."""
    told = {name.lower(): text for name, text in query}
    phone = next((told[name] for name in WRITERS if name in told), "")
    writer = correspondent_of(phone, settings)
    if writer is None or "message" not in told:
        return None
    return spi.Inbound(sender=writer, recipient=settings.long_code, text=told["message"])
