"""Addresses: which ones are well formed, and their normal form.

Numbers follow E.164: a "+", a country code that does not start with 0, at most 15 digits in all.
Mailboxes follow the everyday part of RFC 5321: no quoted local parts, no address literals.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter

import phonenumbers

from broker.domain.country import CALLING_CODE_DIGITS_MAX, calling_code, is_possible, possible_lengths
from broker.domain.vocabulary import Channel

PHONE_CHANNELS = frozenset({Channel.SMS, Channel.MMS})

_LENGTH_MIN = 8
"""Of a number in normal form, its + included."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_E164_LINES = re.compile(r"\+[1-9][0-9]{6,14}(?:\n\+[1-9][0-9]{6,14})*+")
_DIGITS = re.compile(r"[0-9]{3,20}")
_leading = itemgetter(slice(1, 1 + CALLING_CODE_DIGITS_MAX))
_SEPARATORS = str.maketrans("", "", " .-()\u00a0\u2011")
_MAILBOX = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_PHONE_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{3,11}")
_APPLICATION = re.compile(r"[\x21-\x7e]{1,128}")

MAILBOX_CHARACTERS_MAX = 254
LOCAL_PART_CHARACTERS_MAX = 64


def normal_number(written: str, region: str = "") -> str | None:
    """The E.164 form of a number as people write it, or None when it cannot be one.

    A number without "+" is as `region` (ISO 3166 alpha-2) dials it, national or with its international prefix,
    where that is given.
    Any number must have the length that its country's numbering plan allows.
    """
    if _E164.fullmatch(written):
        # As `is_possible`, without the call: this runs for every message, and for every line of a file.
        return written if len(written) in possible_lengths(written[1 : 1 + CALLING_CODE_DIGITS_MAX]) else None
    number = written.translate(_SEPARATORS)
    if _E164.fullmatch(number):
        return number if is_possible(number) else None
    return _national(number, region) if region and _DIGITS.fullmatch(number) else None


def all_normal(numbers: Sequence[str]) -> bool:
    """Whether each is a number in normal form; for many that costs a small part of what asking for each does."""
    text = "\n".join(numbers)
    if text.count("\n") >= len(numbers):
        return False  # one of them has a line break in it, and would pass for two
    alike = _numbers_like(text[1 : 1 + CALLING_CODE_DIGITS_MAX])
    if alike is not None and alike.fullmatch(text):
        return True
    if not _E164_LINES.fullmatch(text):
        return False
    lengths = set(zip(map(_leading, numbers), map(len, numbers), strict=True))
    return all(length in possible_lengths(leading) for leading, length in lengths)


@lru_cache(maxsize=1_000)
def _numbers_like(leading: str) -> re.Pattern[str] | None:
    """Lines that are numbers in normal form, all of the calling code that these digits begin with.

    In most files all are of one country, and then one look is enough.
    """
    if not _DIGITS.fullmatch(leading) or not (code := calling_code(leading)):
        return None
    digits = {length - 1 - len(code) for length in possible_lengths(leading) if length >= _LENGTH_MIN}
    if not digits:
        return None
    # Lengths that follow each other are one alternative: most countries have one or two.
    starts = sorted(each for each in digits if each - 1 not in digits)
    ends = sorted(each for each in digits if each + 1 not in digits)
    runs = "|".join(f"[0-9]{{{start},{end}}}+" for start, end in zip(starts, ends, strict=True))
    number = rf"\+{code}(?:{runs})"
    return re.compile(rf"(?:{number}\n)*+{number}")


@lru_cache(maxsize=16_384)
def _national(digits: str, region: str) -> str | None:
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def normal_mailbox(written: str) -> str | None:
    """The mailbox with its domain lower-cased, or None when it is not one."""
    address = written.strip()
    if len(address) > MAILBOX_CHARACTERS_MAX or not _MAILBOX.fullmatch(address):
        return None
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}" if len(local) <= LOCAL_PART_CHARACTERS_MAX else None


@lru_cache(maxsize=1024)
def sender_fits(sender: str, channel: Channel) -> bool:
    """Whether a sender's shape fits the channel; the empty sender (the provider's default) always does.

    SMS and MMS: E.164, a short code of 3 to 8 digits, or 3 to 11 letters, digits and spaces with at least
    one letter. Email: a mailbox. Push and in-app: an application id of 1 to 128 visible ASCII characters.
    """
    if not sender:
        return True
    if channel in PHONE_CHANNELS:
        return _PHONE_SENDER.fullmatch(sender) is not None
    if channel is Channel.EMAIL:
        return normal_mailbox(sender) is not None
    return _APPLICATION.fullmatch(sender) is not None
