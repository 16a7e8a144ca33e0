"""What Group Texting takes as a text, a number, a card: the document's rules, written down once more and apart."""

import re
from collections.abc import Mapping

MESSAGE_MAX = 160
SUBJECT_MAX = 13
ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;!?()~=+-_\\/@$#&%")
DOUBLE = frozenset("~@#%+=/\\")
CARD_TYPES = frozenset({"MC", "Visa", "AX", "DS", "JCB"})
CARD_FIELDS = (
    "firstname", "lastname", "address", "city", "state", "zip", "country",
    "type", "ccnumber", "cccode", "expm", "expy",
)  # fmt: skip

_PHONE = re.compile(r"[2-9][0-9]{9}")
_KEYWORD = re.compile(r"[A-Za-z0-9]{1,20}")
_MAILBOX = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URL = re.compile(r"https?://[^\s/]+(/\S*)?")
_TWO_DIGITS = re.compile(r"[0-9]{2}")
_CARD_NUMBER = re.compile(r"[0-9]{13,19}")


def length(text: str) -> int:
    """As it counts: some characters are two, and so is a line break, which has two anyway."""
    return len(text) + sum(each in DOUBLE for each in text)


def is_text(text: str, most: int = MESSAGE_MAX) -> bool:
    """Whether it has nothing but what may be sent, and not too much of it."""
    return set(text.replace("\r\n", "")) <= ALLOWED and length(text) <= most


def is_message(subject: str, message: str) -> bool:
    """Whether a subject and a message may be sent together."""
    fits = length(subject) + length(message) <= MESSAGE_MAX
    return bool(message) and fits and is_text(subject, SUBJECT_MAX) and is_text(message)


def is_phone(number: str) -> bool:
    """Ten digits."""
    return _PHONE.fullmatch(number) is not None


def is_keyword(word: str) -> bool:
    """One word."""
    return _KEYWORD.fullmatch(word) is not None


def is_mailbox(text: str) -> bool:
    """Something at some host."""
    return _MAILBOX.fullmatch(text) is not None


def is_url(text: str) -> bool:
    """Over http or https."""
    return _URL.fullmatch(text) is not None


def is_card(fields: Mapping[str, str]) -> bool:
    """Whether all is there that a card needs, in its form."""
    return (
        all(fields.get(each) for each in CARD_FIELDS)
        and fields["type"] in CARD_TYPES
        and _CARD_NUMBER.fullmatch(fields["ccnumber"]) is not None
        and all(_TWO_DIGITS.fullmatch(fields[each]) for each in ("expm", "expy"))
    )
