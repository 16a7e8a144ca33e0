"""What follows from a provider's answer: facts to record, and the one thing that happens next.

Pure: the caller brings the time, the chance and the answer. `MessageTraits` says what of the message and
its provider matters; `DeliveryPolicy` holds the operator's numbers.
"""

from dataclasses import field

from broker.domain.lifecycle import Fact
from broker.domain.outcome import (
    Accepted,
    NotAccepted,
    Outcome,
    Receipt,
    ReceiptStatus,
    Rejected,
    Unknown,
)
from broker.domain.retry import RetryPolicy, next_candidate, next_question_at, next_round_at
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Guarantee, Reason

CODE_CHARACTERS_MAX = 64
TEXT_CHARACTERS_MAX = 1_000
"""A provider's own words are kept up to here; the rest is of no use and may be hostile."""


@value
class Note:
    """What goes with a fact: why, and what the provider said. Times are microseconds since 1970 UTC.

    The last `aliases` of the `provider_message_ids` are other names of the message, and no parts of it.
    """

    reason: Reason | None = None
    detail: str = ""
    provider_message_ids: tuple[str, ...] = ()
    part: int = 0
    code: str = ""
    text: str = ""
    next_attempt_at_us: int | None = None
    next_provider: str = ""
    previous_channel: Channel | None = None
    aliases: int = 0


NOTHING = Note()


@value
class Retry:
    """Dispatch it again at this time, through `provider`.

    `doubtful`: the attempt before may have reached its provider. `rounds` of all candidates have failed.
    """

    at_us: int
    doubtful: bool = False
    provider: str = ""
    rounds: int = 0


@value
class Ask:
    """Its outcome is unknown: ask the provider at this time."""

    at_us: int


@value
class AwaitReceipt:
    """The provider has it: ask at this time if no receipt came. `parts` of them are to be delivered."""

    at_us: int
    parts: int = 1


@value
class Done:
    """It has ended."""


Next = Retry | Ask | AwaitReceipt | Done


@value
class Decision:
    """The facts to record, in order, and what is due then."""

    facts: tuple[tuple[Fact, Note], ...]
    then: Next


@value
class DeliveryPolicy:
    """The operator's numbers. Times are in seconds.

    A missing receipt is asked about after `receipt_overdue_s`, an unknown outcome after `doubt_first_s`;
    each further question waits twice as long, up to `question_cap_s`. A message is not handed over again
    once `crashes_max` of its attempts ended with the death of the process.
    """

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    receipt_overdue_s: float = 30.0
    doubt_first_s: float = 1.0
    question_cap_s: float = 3_600.0
    crashes_max: int = 3


@value
class MessageTraits:
    """What matters of a message and of the provider that has, or may have, it.

    `doubtful`: an earlier attempt may have reached its provider. `provider` had the last attempt; it is one of
    the `candidates`, which are in the order to try them. `shut` are the instances that take nothing now.
    `hops` counts the changes of provider so far, `rounds` how often all candidates have failed, `crashes` the
    attempts that a process did not survive. `keeps_keys`: the provider ignores what it took before.
    """

    attempt: int
    expire_at_us: int
    guarantee: Guarantee
    asked: int = 0
    gives_receipts: bool = True
    answers_questions: bool = False
    doubtful: bool = False
    provider: str = ""
    candidates: tuple[str, ...] = ()
    shut: frozenset[str] = frozenset()
    hops: int = 0
    rounds: int = 0
    crashes: int = 0
    keeps_keys: bool = False


def after_submit(
    outcome: Outcome, traits: MessageTraits, policy: DeliveryPolicy, *, now_us: int, chance: float
) -> Decision:
    """What follows from the outcome of handing a message over. `chance` is in [0, 1)."""
    match outcome:
        case Accepted():
            return _taken(outcome, traits, policy, now_us)
        case Rejected(reason, code, text):
            if traits.doubtful:  # it says nothing of the attempt before, which may have got through
                return _end(Fact.LOST, _said(Reason.AMBIGUOUS, code, text))
            return _end(Fact.REFUSED_UPSTREAM, _said(reason, code, text))
        case NotAccepted(retry_after_s, code, text):
            note = _said(Reason.PROVIDER_UNAVAILABLE, code, text)
            return _again(note, traits, policy, now_us, chance, retry_after_s)
        case Unknown(code, text):
            note = _said(Reason.AMBIGUOUS, code, text)
            if traits.answers_questions:
                at_us = min(now_us + _micros(policy.doubt_first_s), traits.expire_at_us)
                return Decision(((Fact.DOUBTED, note),), Ask(at_us))
            return after_doubt(note, traits, policy, now_us=now_us, chance=chance)


def after_doubt(
    note: Note, traits: MessageTraits, policy: DeliveryPolicy, *, now_us: int, chance: float
) -> Decision:
    """What follows when nobody can tell whether the provider took a message: its guarantee decides."""
    if traits.guarantee is Guarantee.AT_MOST_ONCE:
        return _end(Fact.LOST, note)
    return _again(note, traits, policy, now_us, chance, None)


def after_question(
    answer: Outcome | Receipt, traits: MessageTraits, policy: DeliveryPolicy, *, now_us: int, chance: float
) -> Decision:
    """What follows when a provider was asked about an unknown outcome."""
    match answer:
        case Receipt():
            taken = _taken(Accepted((answer.provider_message_id,)), traits, policy, now_us)
            fact, note = fact_of(answer)
            if fact is Fact.PROGRESSED:
                return taken
            return Decision((*taken.facts, *following(fact, note)), Done())
        case Unknown(code, text):
            if traits.expire_at_us <= now_us:
                return _end(Fact.LOST, _said(Reason.AMBIGUOUS, code, text))
            return Decision((), Ask(_next_question(traits, policy.doubt_first_s, policy, now_us)))
        case _:
            return after_submit(answer, traits, policy, now_us=now_us, chance=chance)


def after_receipt_question(
    answer: Outcome | Receipt, traits: MessageTraits, policy: DeliveryPolicy, *, now_us: int
) -> Decision:
    """What follows when a provider was asked about a message that it has taken."""
    match answer:
        case Receipt(status=ReceiptStatus.DELIVERED | ReceiptStatus.DELIVERY_FAILED | ReceiptStatus.READ):
            return Decision(following(*fact_of(answer)), Done())
        case Rejected(_, code, text):
            return _end(Fact.UNDELIVERED, _said(Reason.UNDELIVERABLE, code, text))
        case _:
            return no_receipt_yet(traits, policy, now_us=now_us)


def no_receipt_yet(traits: MessageTraits, policy: DeliveryPolicy, *, now_us: int) -> Decision:
    """What follows when an overdue receipt is still missing: wait longer, or its validity has passed."""
    if traits.expire_at_us <= now_us:
        return _end(Fact.LOST, Note(Reason.NO_RECEIPT))
    return Decision((), AwaitReceipt(_next_question(traits, policy.receipt_overdue_s, policy, now_us)))


def fact_of(receipt: Receipt) -> tuple[Fact, Note]:
    """What a receipt says, as a fact. A status that has no meaning here is progress with its code."""
    fact = _FACTS[receipt.status]
    reason = (receipt.reason or Reason.UNDELIVERABLE) if fact is Fact.UNDELIVERED else None
    note = _said(reason, receipt.code, receipt.text)
    return fact, Note(note.reason, code=note.code, text=note.text, part=receipt.part)


def following(fact: Fact, note: Note) -> tuple[tuple[Fact, Note], ...]:
    """What a receipt's fact means for a message that has not ended: who read it has it."""
    return ((Fact.DELIVERED, note), (fact, note)) if fact is Fact.READ else ((fact, note),)


_FACTS = {
    ReceiptStatus.SENT: Fact.PROGRESSED,
    ReceiptStatus.DELIVERED: Fact.DELIVERED,
    ReceiptStatus.DELIVERY_FAILED: Fact.UNDELIVERED,
    ReceiptStatus.READ: Fact.READ,
    ReceiptStatus.UNKNOWN: Fact.PROGRESSED,
}


def _taken(outcome: Accepted, traits: MessageTraits, policy: DeliveryPolicy, now_us: int) -> Decision:
    # Parts that share an id share their receipts too: an id that comes twice is reported on once.
    ids = tuple(dict.fromkeys(filter(None, outcome.provider_message_ids)))
    note = Note(provider_message_ids=ids)
    if outcome.aliases or outcome.code:
        note = _remarked(outcome, ids)
    if not traits.gives_receipts:
        return _end(Fact.HANDED_OVER_UNTRACKED, note)
    ask_at_us = (
        now_us + _micros(policy.receipt_overdue_s) if traits.answers_questions else traits.expire_at_us
    )
    parts = max(1, len(ids))
    return Decision(((Fact.HANDED_OVER, note),), AwaitReceipt(min(ask_at_us, traits.expire_at_us), parts))


def _remarked(outcome: Accepted, ids: tuple[str, ...]) -> Note:
    """What goes with the hand-over of a message that has other names, or that the provider warned of."""
    every = tuple(dict.fromkeys((*ids, *filter(None, outcome.aliases))))
    said = _said(None, outcome.code, outcome.text)
    return Note(provider_message_ids=every, code=said.code, text=said.text, aliases=len(every) - len(ids))


def _again(
    note: Note,
    traits: MessageTraits,
    policy: DeliveryPolicy,
    now_us: int,
    chance: float,
    retry_after_s: float | None,
) -> Decision:
    """The next candidate at once, or after the last one the first, later; or the end of all tries."""
    doubtful = note.reason is Reason.AMBIGUOUS
    if traits.crashes >= policy.crashes_max:
        return _end(Fact.EXHAUSTED, Note(Reason.ATTEMPTS_CRASHED, code=note.code, text=note.text))
    if traits.attempt >= policy.retry.attempts_max:
        if traits.doubtful or doubtful:  # a failure would claim that it was not sent
            return _end(Fact.LOST, Note(Reason.AMBIGUOUS, code=note.code, text=note.text))
        return _end(Fact.EXHAUSTED, Note(Reason.ATTEMPTS_EXHAUSTED, code=note.code, text=note.text))
    # Whoever may have taken it and knows its key is the only one to whom it can go without becoming two.
    stays = traits.hops >= policy.retry.hops_max or (doubtful and traits.keeps_keys)
    rounds = traits.rounds
    provider = None if stays else next_candidate(traits.candidates, traits.provider, traits.shut)
    at_us = now_us
    if provider is None:
        rounds += 1
        provider = traits.provider if stays else _begin_anew(traits)
        wish_s = retry_after_s if provider == traits.provider else None
        at_us = next_round_at(policy.retry, rounds=rounds, now_us=now_us, retry_after_s=wish_s, chance=chance)
    # At the end of its validity the message is found expired instead of sent.
    at_us = min(at_us, traits.expire_at_us)
    deferred = Note(
        note.reason, code=note.code, text=note.text, next_attempt_at_us=at_us, next_provider=provider
    )
    return Decision(((Fact.DEFERRED, deferred),), Retry(at_us, doubtful, provider, rounds))


def _begin_anew(traits: MessageTraits) -> str:
    """Where a round begins: with the first candidate that takes messages, or where it is when none does."""
    return next((name for name in traits.candidates if name not in traits.shut), traits.provider)


def _end(fact: Fact, note: Note) -> Decision:
    return Decision(((fact, note),), Done())


def _said(reason: Reason | None, code: str, text: str) -> Note:
    return Note(reason, code=code[:CODE_CHARACTERS_MAX], text=text[:TEXT_CHARACTERS_MAX])


def _next_question(traits: MessageTraits, first_s: float, policy: DeliveryPolicy, now_us: int) -> int:
    at_us = next_question_at(asked=traits.asked, now_us=now_us, first_s=first_s, cap_s=policy.question_cap_s)
    return min(at_us, traits.expire_at_us)


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)
