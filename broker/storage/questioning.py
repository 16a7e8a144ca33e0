"""Verbs of the poller: what is overdue, which provider to ask about it, and what its answer means."""

from collections import defaultdict
from collections.abc import Callable

from broker.domain.consent import ConsentChange
from broker.domain.decision import (
    Decision,
    DeliveryPolicy,
    MessageTraits,
    Note,
    after_doubt,
    after_question,
    after_receipt_question,
    no_receipt_yet,
)
from broker.domain.lifecycle import Fact
from broker.domain.outcome import Outcome, Receipt
from broker.domain.spelling import IdSpelling
from broker.domain.value import value
from broker.domain.vocabulary import Guarantee, Reason
from broker.spi import OutboundMessage
from broker.storage.agenda import Agenda, DueRow, Work, due_row
from broker.storage.consenting import record_consent
from broker.storage.dispatching import Parcel, carry_out, load_outbound
from broker.storage.journal import Journal
from broker.storage.learning import told_by_answer
from broker.storage.matching import ProviderId, loose_spellings, register
from broker.storage.transaction import Transaction
from broker.storage.ways import Ways


@value
class QuestionClaim:
    """A wish for overdue messages: at most `messages_max`, leased until `lease_until_us`.

    `can_ask` and `keeps_keys` tell of an instance whether it answers questions and whether it ignores what it
    took before; `shut` are those that take nothing now.
    """

    now_us: int
    messages_max: int
    lease_until_us: int
    policy: DeliveryPolicy
    can_ask: Callable[[str], bool]
    chance: Callable[[], float]
    shut: frozenset[str] = frozenset()
    keeps_keys: Callable[[str], bool] = lambda _provider: False


@value
class Question:
    """A message to ask its provider about."""

    provider: str
    account_id: int
    message_id: int
    message: OutboundMessage
    work: Work
    asked: int
    guarantee: Guarantee


@value
class Overdue:
    """What to ask, how many rows were looked at, and when more will be overdue."""

    questions: tuple[Question, ...]
    looked_at: int
    next_at_us: int | None


@value
class AnswerReport:
    """What a provider answered. `shut` are the instances that take nothing now."""

    question: Question
    answer: Outcome | Receipt
    gives_receipts: bool
    policy: DeliveryPolicy
    now_us: int
    chance: float
    spelling: IdSpelling = IdSpelling.EXACT
    shut: frozenset[str] = frozenset()
    keeps_keys: bool = False


def claim_questions(tx: Transaction, items: list[QuestionClaim]) -> list[Overdue]:
    """Take overdue messages; those whose provider cannot be asked are decided at once."""
    return [_claim_one(tx, item) for item in items]


def _claim_one(tx: Transaction, wish: QuestionClaim) -> Overdue:
    rows = [due_row(row) for row in tx.all("due_questions", now=wish.now_us, rows_max=wish.messages_max)]
    questions = _questions(tx, wish, rows) if rows else ()
    following = tx.one("next_question")
    return Overdue(questions, len(rows), following[0] if following else None)


def _questions(tx: Transaction, wish: QuestionClaim, rows: list[DueRow]) -> tuple[Question, ...]:
    journal, agenda = Journal(tx, wish.now_us), Agenda(tx)
    ways = Ways(tx, journal, agenda, wish.now_us)
    tx.lock_accounts(row.account_id for row in rows)
    journal.load(row.message_id for row in rows)
    parcels = load_outbound(tx, rows)
    known_ids = _known_ids(tx, rows)
    questions: list[Question] = []
    for row in rows:
        agenda.adopt(row)
        parcel = parcels[row.message_id]
        if row.work is Work.SUBMITTED:
            note = Note(Reason.AMBIGUOUS, "the attempt's outcome was never recorded")
            journal.happen(row.message_id, Fact.DOUBTED, note)
            row.work = Work.DOUBT
        if not wish.can_ask(row.provider):
            decision = _without_asking(row, ways.attempts_on(row), parcel, wish)
            carry_out(journal, agenda, ways, row, decision, wish.now_us)
            continue
        row.at_us = wish.lease_until_us
        row.asked += 1
        agenda.put(row)
        message = parcel.outbound(row, known_ids[row.message_id])
        questions.append(
            Question(
                provider=row.provider,
                account_id=row.account_id,
                message_id=row.message_id,
                message=message,
                work=row.work,
                asked=row.asked,
                guarantee=parcel.guarantee,
            )
        )
    journal.flush()
    agenda.flush()
    ways.flush()
    return tuple(questions)


def _without_asking(row: DueRow, attempts: int, parcel: Parcel, wish: QuestionClaim) -> Decision:
    traits = _traits(row, attempts, parcel.guarantee, wish.shut, keeps_keys=wish.keeps_keys(row.provider))
    if row.work is Work.RECEIPT:
        return no_receipt_yet(traits, wish.policy, now_us=wish.now_us)
    note = Note(Reason.AMBIGUOUS)
    return after_doubt(note, traits, wish.policy, now_us=wish.now_us, chance=wish.chance())


def _known_ids(tx: Transaction, rows: list[DueRow]) -> dict[int, tuple[str, ...]]:
    found: defaultdict[int, tuple[str, ...]] = defaultdict(tuple)
    # Only what a provider took has ids, and an earlier attempt's ids would mislead it.
    taken = [row.message_id for row in rows if row.work is Work.RECEIPT]
    now_on = {row.message_id: row.way for row in rows}
    for message_id, identity, way in tx.all("provider_messages_of", message_ids=taken) if taken else ():
        if way == now_on[message_id]:
            found[message_id] += (identity,)
    return found


def settle_answers(tx: Transaction, items: list[AnswerReport]) -> list[bool]:
    """Apply each answer; False where the message has moved on since it was asked about."""
    journal, agenda = Journal(tx, items[0].now_us), Agenda(tx)
    ways = Ways(tx, journal, agenda, items[0].now_us)
    message_ids = [item.question.message_id for item in items]
    journal.load(message_ids)
    agenda.load(message_ids)
    ids: list[ProviderId] = []
    stops: list[ConsentChange] = []
    answers = []
    for item in items:
        row = agenda.get(item.question.message_id)
        same = row is not None and _still_asked(row, item.question)
        if row is not None and same:
            decision = _decide(row, ways.attempts_on(row), item)
            stops += told_by_answer(item.answer, row, item.question.message, item.now_us)
            ids += carry_out(journal, agenda, ways, row, decision, item.now_us)
        answers.append(same)
    spellings = loose_spellings((item.question.provider, item.spelling) for item in items)
    register(tx, journal, agenda, ways, ids, spellings, items[0].now_us)
    journal.flush()
    agenda.flush()
    ways.flush()
    record_consent(tx, stops)
    return answers


def _still_asked(row: DueRow, question: Question) -> bool:
    """Each attempt counts its questions from 1, so the attempt has to be the same too."""
    asked = (question.work, question.asked, question.message.attempt)
    return (row.work, row.asked, row.attempt) == asked


def _decide(row: DueRow, attempts: int, item: AnswerReport) -> Decision:
    traits = _traits(
        row,
        attempts,
        item.question.guarantee,
        item.shut,
        keeps_keys=item.keeps_keys,
        gives_receipts=item.gives_receipts,
        answers_questions=True,
    )
    if row.work is Work.RECEIPT:
        return after_receipt_question(item.answer, traits, item.policy, now_us=item.now_us)
    return after_question(item.answer, traits, item.policy, now_us=item.now_us, chance=item.chance)


def _traits(
    row: DueRow,
    attempts: int,
    guarantee: Guarantee,
    shut: frozenset[str],
    *,
    keeps_keys: bool,
    gives_receipts: bool = True,
    answers_questions: bool = False,
) -> MessageTraits:
    return MessageTraits(
        attempt=attempts,
        expire_at_us=row.expire_at_us,
        guarantee=guarantee,
        asked=row.asked,
        gives_receipts=gives_receipts,
        answers_questions=answers_questions,
        doubtful=row.doubtful,
        provider=row.provider,
        candidates=row.candidates,
        shut=shut,
        hops=row.hops,
        rounds=row.rounds,
        crashes=row.crashes,
        keeps_keys=keeps_keys,
    )


def release_leases(tx: Transaction, items: list[tuple[int, int]]) -> list[None]:
    """At start, for (now_us, lease_us): open attempts and open questions have nobody left to end them.

    Each message with an open attempt was there when the process died, which is counted once an attempt.
    Whatever is due within a lease is due now. That takes in receipts that were to be asked about soon:
    while the broker was away, providers may have called in vain.
    """
    tx.all("count_crashes")
    for now_us, lease_us in items:
        tx.all("release_leases", now=now_us, lease_end=now_us + lease_us)
    return [None] * len(items)


def read_next_question_at(tx: Transaction) -> int | None:
    """When the next message will be overdue, None when none is waited for."""
    row = tx.one("next_question")
    return row[0] if row else None
