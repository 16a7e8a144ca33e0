"""What recipients want of senders: changes, and the state that they add up to. No I/O.

Every change is kept for ever; the state in force is what `effects` makes of them, one after the other, so the
table of states can be made again from the record at any time (`fold`).

A wish belongs to an account, a sender and a recipient's address. Four rules:

- The empty sender stands for every sender of the account: a change to it replaces the wishes about each.
- A global opt-out belongs to a sender and a recipient, whichever account uses the sender. Only the recipient lifts it,
  with HELP, START or a keyword from that phone: nothing that an account says about a recipient does.
- A message that names no sender may leave from any, so whatever the recipient said to any of them holds.
- HELP asks a question and changes no account's state.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum

from broker.domain.address import normal_number
from broker.domain.value import value
from broker.domain.vocabulary import Reason

OPT_OUTS = frozenset({Reason.OPTED_OUT, Reason.OPTED_OUT_GLOBALLY})
EVIDENCE_CHARACTERS_MAX = 1_024
CODE_CHARACTERS_MAX = 128
EVERY_SENDER = ""
EVERY_ACCOUNT = 0
"""Stands for the account of a global wish; no account has this id."""


class Consent(IntEnum):
    """What a recipient wants of a sender. Numbers are stored, and equal those of `OptInState`."""

    OPTED_IN = 1
    OPTED_OUT = 2
    OPTED_OUT_GLOBALLY = 3
    UNSET = 4


class Scope(IntEnum):
    """How far a change reaches. Numbers are stored, and equal those of `OptInScope`."""

    ACCOUNT = 1
    GLOBAL = 2


class Act(IntEnum):
    """What was said. Numbers are stored, and equal those of `OptInAct`."""

    OPT_IN = 1
    OPT_OUT = 2
    HELP = 3


class ConsentSource(IntEnum):
    """How it is known. Numbers are stored, and equal those of `OptInSource`."""

    CALL = 1
    """The account said so, through OptIn."""
    INBOUND = 2
    """The recipient wrote it to the sender, from the phone that it is about."""
    PROVIDER_ANSWER = 3
    """A provider refused a message to the recipient for it."""
    RECEIPT = 4
    """A provider said so in a receipt."""


@value
class ConsentWord:
    """What a word of consent means; `every_sender` of the account is meant by STOPALL."""

    act: Act
    every_sender: bool = False


@value
class ConsentChange:
    """Something that was said about a recipient's wish, with the evidence for it. Times are microseconds UTC.

    `sender` is empty for every sender of the account, and then the scope is the account. `told_by` is who told: the id of an API key, or
    a provider instance. `message_id` is the message of the account that told us, or that was refused; 0: none.
    """

    account_id: int
    sender: str
    recipient: str
    act: Act
    source: ConsentSource
    at_us: int
    scope: Scope = Scope.ACCOUNT
    keyword: str = ""
    evidence: str = ""
    told_by: str = ""
    message_id: int = 0
    provider_code: str = ""
    organisation_name: str = ""
    recipient_name: str = ""


@value
class Wish:
    """A state and since when it is so; the names are the last that were given, for answers to the recipient."""

    state: Consent
    since_us: int
    sender: str
    organisation_name: str = ""
    recipient_name: str = ""


def opt_out_told(
    reason: Reason,
    account_id: int,
    sender: str,
    recipient: str,
    *,
    source: ConsentSource,
    provider: str,
    message_id: int,
    code: str,
    text: str,
    at_us: int,
) -> ConsentChange | None:
    """What a provider's refusal or receipt about a message says of its recipient's wish; None: nothing."""
    if reason not in OPT_OUTS:
        return None
    return ConsentChange(
        account_id=account_id,
        sender=sender,
        recipient=recipient,
        act=Act.OPT_OUT,
        source=source,
        at_us=at_us,
        scope=Scope.GLOBAL if reason is Reason.OPTED_OUT_GLOBALLY and sender else Scope.ACCOUNT,
        evidence=text[:EVIDENCE_CHARACTERS_MAX],
        told_by=provider,
        message_id=message_id,
        provider_code=code[:CODE_CHARACTERS_MAX],
    )


WishKey = tuple[int, str, str]
"""Account (EVERY_ACCOUNT for a global wish), recipient, and the sender's key."""


def sender_key(sender: str) -> str:
    """A sender in the form in which it is compared: a number in E.164, anything else without case."""
    return normal_number(sender) or sender.strip().casefold()


def effects(change: ConsentChange, known: Mapping[WishKey, Wish]) -> dict[WishKey, Wish]:
    """The wishes that a change makes or replaces. `known` has all about the recipient, of the account and global."""
    key = change.account_id, change.recipient, sender_key(change.sender)
    found: dict[WishKey, Wish] = {}
    for each, state in _states(change, key, known).items():
        found[each] = _renewed(known.get(each), state, change, each[2] == key[2])
    return found


def _states(
    change: ConsentChange, key: WishKey, known: Mapping[WishKey, Wish]
) -> dict[WishKey, Consent | None]:
    """The new states by key; None for one that stays what it is, or UNSET."""
    everywhere = EVERY_ACCOUNT, change.recipient, key[2]
    if change.act is Act.OPT_OUT and change.scope is Scope.GLOBAL and key[2] != EVERY_SENDER:
        return {key: None, everywhere: Consent.OPTED_OUT_GLOBALLY}
    states: dict[WishKey, Consent | None] = {}
    if change.act is not Act.HELP:
        state = Consent.OPTED_IN if change.act is Act.OPT_IN else Consent.OPTED_OUT
        states[key] = state
        if key[2] == EVERY_SENDER:
            states |= {each: state for each in known if each[:2] == key[:2]}
    if change.source is ConsentSource.INBOUND and change.act is not Act.OPT_OUT and everywhere in known:
        states[everywhere] = Consent.UNSET
    return states


def _renewed(old: Wish | None, state: Consent | None, change: ConsentChange, named: bool) -> Wish:
    before = Consent.UNSET if old is None else old.state
    now = before if state is None else state
    since_us = change.at_us if old is None or now is not before else old.since_us
    return Wish(
        now,
        since_us,
        change.sender if named or old is None else old.sender,
        change.organisation_name or (old.organisation_name if old else ""),
        change.recipient_name or (old.recipient_name if old else ""),
    )


def fold(changes: Iterable[ConsentChange]) -> dict[WishKey, Wish]:
    """The wishes that all changes, in their order, add up to."""
    known: dict[WishKey, Wish] = {}
    for change in changes:
        known |= effects(change, known)
    return known


def in_force(known: Mapping[WishKey, Wish], account_id: int, sender: str, recipient: str) -> Wish:
    """What holds between a sender of an account and a recipient."""
    key = sender_key(sender)
    everywhere = known.get((EVERY_ACCOUNT, recipient, key))
    if everywhere is not None and everywhere.state is Consent.OPTED_OUT_GLOBALLY:
        return everywhere
    for each in (key, EVERY_SENDER):
        wish = known.get((account_id, recipient, each))
        if wish is not None and wish.state is not Consent.UNSET:
            return wish
    return known.get((account_id, recipient, key)) or Wish(Consent.UNSET, 0, sender)


def moves(change: ConsentChange, known: Mapping[WishKey, Wish], made: Mapping[WishKey, Wish]) -> bool:
    """Whether what a change `made` puts something else in force for its account: also for one sender of every one."""
    after = {**known, **made}
    keys = {key[2] for key in made} | {sender_key(change.sender)}
    return any(
        in_force(known, change.account_id, each, change.recipient).state
        is not in_force(after, change.account_id, each, change.recipient).state
        for each in keys
    )


def refusal(known: Mapping[WishKey, Wish], account_id: int, sender: str, recipient: str) -> Reason | None:
    """Why a message of an account must not go to a recipient; None where nothing that was said forbids it."""
    senders = {sender_key(sender)}
    if EVERY_SENDER in senders:
        senders |= {key[2] for key in known if key[1] == recipient and key[0] in {EVERY_ACCOUNT, account_id}}
    states = {in_force(known, account_id, each, recipient).state for each in senders}
    if Consent.OPTED_OUT_GLOBALLY in states:
        return Reason.OPTED_OUT_GLOBALLY
    return Reason.OPTED_OUT if Consent.OPTED_OUT in states else None
