"""What people write to us: whom it is for, and what it answers.

An inbound message belongs to one account. Nobody upstream knows our accounts, so the broker finds out (`assign`), and
keeps with the message how it did.
"""

import re
from collections.abc import Iterable
from enum import IntEnum

from broker.domain.address import normal_mailbox, normal_number
from broker.domain.consent import ConsentWord
from broker.domain.consent_keywords import consent_word
from broker.domain.keyword import Keyword, first_word
from broker.domain.value import value

ADDRESS_CHARACTERS_MAX = 254
TEXT_CHARACTERS_MAX = 10_000
"""A longer one is cut: a refused message would be sent again for ever."""

_LOOSE = re.compile(r"[\s().\-]+")
_INTERNATIONAL = re.compile(r"(?:\+|00)?([1-9][0-9]{8,14})")


class AssignedBy(IntEnum):
    """How the account of an inbound message was found. Numbers are stored and equal those of the protos."""

    KEYWORD = 1
    """It is a keyword that the account has rented, or begins with it."""
    LAST_MESSAGE = 2
    """The account was the last to write to that person from that address."""
    SENDER = 3
    """The address is a registered sender of the account, and of no other."""
    INSTANCE = 4
    """The settings name the account for the provider instance."""
    DEFAULT = 5
    """None of these: it is the store's first account."""


class InboundKind(IntEnum):
    """What an inbound message is. Numbers are stored and equal those of the protos."""

    REPLY = 1
    """A reply: we had written to that person within the window, or it is a keyword with text behind it."""
    KEYWORD = 2
    """A keyword and nothing else."""
    OPT_IN = 3
    """A word that says whether the person wants our messages, as STOP."""
    OTHER = 4
    """Anything else: we had not written to that person for a while."""


@value
class InboundRules:
    """The operator's numbers.

    Within `window_us` after we wrote, a text is a reply; for `memory_us` the broker remembers whom an account
    wrote to. An account may have `contacts_max` contacts.
    """

    window_us: int = 43_200_000_000
    memory_us: int = 2_592_000_000_000
    contacts_max: int = 5_000_000


@value
class Written:
    """The last message that an account wrote to a person from an address through an instance, and when.

    Without a sender the address is "": the instance's default. Times are microseconds since 1970 UTC.
    """

    address: str
    account_id: int
    provider: str
    message_id: int
    at_us: int


def normal_correspondent(written: str) -> str:
    """An address as a provider reports it, in the form in which messages are addressed.

    A number gets its "+", a mailbox its normal form; short codes and names stay as they are.
    """
    text = written.strip()
    if "@" in text:
        return normal_mailbox(text) or text
    bare = _LOOSE.sub("", text)
    found = _INTERNATIONAL.fullmatch(bare)
    if found is None:
        return text
    return normal_number(f"+{found[1]}") or text


def same_address(one: str, other: str) -> bool:
    """Whether two spellings are one of our addresses."""
    return normal_correspondent(one).casefold() == normal_correspondent(other).casefold()


def last_written(
    written: Iterable[Written], address: str, provider: str, since_us: int, account_id: int | None = None
) -> Written | None:
    """The last message that somebody, or one account, wrote from the address to which an answer came.

    A message without a sender left from an address of the provider's own: it is answered through that provider.
    """
    fitting = [
        each
        for each in written
        if each.at_us >= since_us
        and account_id in {None, each.account_id}
        and (same_address(each.address, address) if each.address else each.provider == provider)
    ]
    return max(fitting, key=lambda each: (each.at_us, each.message_id), default=None)


@value
class Reading:
    """What a text is by itself: a word of consent, or its first word in plain form, and whether that is all of it."""

    consent: ConsentWord | None
    first_word: str
    alone: bool


def read_text(text: str) -> Reading:
    """Read a message. A word of consent is nothing else besides."""
    word = consent_word(text)
    if word is not None:
        return Reading(word, "", alone=False)
    first, alone = first_word(text)
    return Reading(None, first, alone)


@value
class Assignment:
    """Whose an inbound message is, how that was found, what it is, and the message that it answers.

    `keyword` is the one that it is or begins with. `senderless`: the message that it answers named no sender.
    """

    account_id: int
    by: AssignedBy
    kind: InboundKind
    reply_to: int | None = None
    keyword: Keyword | None = None
    senderless: bool = False


def assign(
    reading: Reading,
    written: Iterable[Written],
    keyword: Keyword | None,
    *,
    address: str,
    provider: str,
    now_us: int,
    rules: InboundRules,
    named: int | None,
    default: int,
    owner: int | None = None,
) -> Assignment:
    """Whose a message is. `written` is what its writer got from us, `keyword` what its first word is at `address`.

    A keyword by itself is its renter's. Else it is for who wrote last, if that is within the window; else the renter's
    of the keyword that it begins with; else again for who wrote last; then for the `owner` of the address, for the
    account that the settings `named` for the provider, and at last for the `default` one.
    """
    letters = list(written)
    since_us = now_us - rules.memory_us
    if keyword is not None and reading.alone:
        return Assignment(keyword.account_id, AssignedBy.KEYWORD, InboundKind.KEYWORD, keyword=keyword)
    last = last_written(letters, address, provider, since_us)
    recent = last is not None and last.at_us >= now_us - rules.window_us
    if keyword is not None and not recent:
        own = last_written(letters, address, provider, since_us, keyword.account_id)
        reply_to = None if own is None else own.message_id
        return Assignment(keyword.account_id, AssignedBy.KEYWORD, InboundKind.REPLY, reply_to, keyword)
    kind = InboundKind.OTHER if reading.consent is None else InboundKind.OPT_IN
    if last is not None:
        kind = InboundKind.REPLY if recent and reading.consent is None else kind
        mine = keyword if keyword is not None and keyword.account_id == last.account_id else None
        return Assignment(
            last.account_id, AssignedBy.LAST_MESSAGE, kind, last.message_id, mine, senderless=not last.address
        )
    if owner is not None:
        return Assignment(owner, AssignedBy.SENDER, kind)
    if named is not None:
        return Assignment(named, AssignedBy.INSTANCE, kind)
    return Assignment(default, AssignedBy.DEFAULT, kind)
