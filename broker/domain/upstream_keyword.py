"""Keywords that an upstream keeps itself, at its own addresses: what it is asked about them, and what it answers."""

from dataclasses import dataclass
from enum import Enum


class KeywordField(Enum):
    """What a keyword is set up with."""

    KEYWORD = "the keyword itself"
    GROUP = "the group that who texts it joins"
    AUTOREPLY = "what they are answered"
    EMAIL = "the mailbox that what they write is forwarded to"
    URL = "the URL that is called"


@dataclass(frozen=True, slots=True)
class KeywordKeeping:
    """Which keywords an upstream keeps: those at its `addresses`, as "+12125550100" or a short code.

    `carries_out` names what of their set-up it does itself when somebody texts one; the broker then leaves that to it.
    """

    addresses: frozenset[str]
    carries_out: frozenset[KeywordField] = frozenset()


@dataclass(frozen=True, slots=True)
class KeywordQuery:
    """A keyword at an address of the upstream's. `keyword` is one word in upper case."""

    address: str
    keyword: str


@dataclass(frozen=True, slots=True)
class KeywordSettings:
    """How a keyword is to be set up, as a whole; "" for nothing. `group_name` is the group's name in the directory."""

    address: str
    keyword: str
    autoreply: str
    group_name: str = ""
    forward_to_email: str = ""


@dataclass(frozen=True, slots=True)
class KeywordAvailable:
    """It could be rented now."""


@dataclass(frozen=True, slots=True)
class KeywordUnavailable:
    """Somebody has it, or nobody can have it."""

    code: str = ""


@dataclass(frozen=True, slots=True)
class KeywordDeclined:
    """The upstream does not take the money for it, so it was surely not rented."""

    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class KeywordRented:
    """It is rented."""


@dataclass(frozen=True, slots=True)
class KeywordSetUp:
    """It is set up so."""


@dataclass(frozen=True, slots=True)
class KeywordRefused:
    """It was not set up: this field is wrong. `text` says why, to whoever asked, and quotes nothing."""

    field: KeywordField
    code: str = ""
    text: str = ""
