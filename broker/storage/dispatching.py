"""Verbs of the dispatcher: claim what is due, record the attempt, and later settle its outcome."""

from collections.abc import Callable

from broker.domain.decision import (
    Ask,
    AwaitReceipt,
    Decision,
    DeliveryPolicy,
    Done,
    MessageTraits,
    Note,
    Retry,
    after_submit,
)
from broker.domain.ids import format_id
from broker.domain.lifecycle import Fact
from broker.domain.outcome import Outcome
from broker.domain.spelling import IdSpelling
from broker.domain.value import value
from broker.domain.vocabulary import PRIORITIES, Channel, Guarantee, Reason, Traffic
from broker.spi import OutboundMessage
from broker.storage.agenda import Agenda, DueRow, Work, due_row
from broker.storage.documents import load_content, load_labels
from broker.storage.journal import Journal
from broker.storage.matching import ProviderId, loose_spellings, provider_ids, register
from broker.storage.transaction import Row, Transaction

Route = Callable[[Channel, str], str | None]
"""The provider instance for a channel and a pinned instance or "", None when there is none."""


@value
class Claim:
    """A wish for work: at most `messages_max`, leased to the process `fence` until `lease_until_us`."""

    now_us: int
    messages_max: int
    fence: int
    lease_until_us: int
    route: Route


@value
class OpenAttempt:
    """An attempt that is recorded and whose provider was not called yet."""

    provider: str
    fence: int
    guarantee: Guarantee
    account_id: int
    message_id: int
    message: OutboundMessage


@value
class Claimed:
    """What a claim got, how many messages it found expired, and when there may be more."""

    attempts: tuple[OpenAttempt, ...]
    looked_at: int
    next_at_us: int | None


def claim(tx: Transaction, items: list[Claim]) -> list[Claimed]:
    """Take what is due, most urgent traffic first, and record an attempt for each."""
    return [_claim_one(tx, item) for item in items]


def _claim_one(tx: Transaction, wish: Claim) -> Claimed:
    rows: list[DueRow] = []
    for priority in PRIORITIES:
        room = wish.messages_max - len(rows)
        found = tx.all("due_dispatches", priority=priority, now=wish.now_us, rows_max=room) if room else ()
        rows.extend(map(due_row, found))
    attempts = _open_attempts(tx, wish, rows) if rows else ()
    next_at_us = None if len(rows) == wish.messages_max else next_dispatch_at(tx)
    return Claimed(attempts, len(rows), next_at_us)


def next_dispatch_at(tx: Transaction) -> int | None:
    """When the next dispatch is due, None when none is planned."""
    times = [tx.one("next_dispatch", priority=priority) for priority in PRIORITIES]
    return min((row[0] for row in times if row and row[0] is not None), default=None)


def _open_attempts(tx: Transaction, wish: Claim, rows: list[DueRow]) -> tuple[OpenAttempt, ...]:
    journal, agenda = Journal(tx, wish.now_us), Agenda(tx)
    tx.lock_accounts(row.account_id for row in rows)
    journal.load(row.message_id for row in rows)
    outbound = load_outbound(tx, rows)
    attempts: list[OpenAttempt] = []
    for row in rows:
        agenda.adopt(row)
        parcel = outbound[row.message_id]
        if row.expire_at_us <= wish.now_us:
            _end_unsent(journal, agenda, row, Fact.LAPSED, Reason.VALIDITY_PASSED)
            continue
        provider = wish.route(parcel.channel, parcel.provider_pin)
        if provider is None:
            _end_unsent(journal, agenda, row, Fact.EXHAUSTED, Reason.NO_ROUTE)
            continue
        number = journal.attempt(row.message_id, provider)
        row.work = Work.SUBMITTED
        row.at_us = wish.lease_until_us
        row.attempt = number
        row.provider = provider
        row.fence = wish.fence
        row.submitted_at_us = wish.now_us
        row.asked = 0
        agenda.put(row)
        attempts.append(
            OpenAttempt(
                provider=provider,
                fence=wish.fence,
                guarantee=parcel.guarantee,
                account_id=row.account_id,
                message_id=row.message_id,
                message=parcel.outbound(row),
            )
        )
    journal.flush()
    agenda.flush()
    return tuple(attempts)


def _end_unsent(journal: Journal, agenda: Agenda, row: DueRow, fact: Fact, reason: Reason) -> None:
    """It will not be sent, as `fact` says; UNKNOWN where an earlier attempt may have reached a provider."""
    if row.doubtful:
        fact, reason = Fact.LOST, Reason.AMBIGUOUS
    journal.happen(row.message_id, fact, Note(reason))
    agenda.done(row.message_id)


@value
class Parcel:
    """What a provider needs of a stored message, before an attempt is known."""

    channel: Channel
    recipient: str
    units: int
    client_reference: str
    expire_at_us: int
    sender: str
    traffic: Traffic
    guarantee: Guarantee
    provider_pin: str
    tags: tuple[str, ...]
    content: dict[str, object]

    def outbound(self, due: DueRow, provider_message_ids: tuple[str, ...] = ()) -> OutboundMessage:
        """The message as its provider gets it."""
        written_id = format_id(due.message_id)
        return OutboundMessage(
            message_id=written_id,
            idempotency_key=written_id,
            channel=self.channel,
            recipient=self.recipient,
            sender=self.sender,
            content=self.content,
            traffic=self.traffic,
            attempt=due.attempt,
            submitted_at_us=due.submitted_at_us,
            expire_at_us=self.expire_at_us,
            units=self.units,
            client_reference=self.client_reference,
            tags=self.tags,
            provider_message_ids=provider_message_ids,
        )


def load_outbound(tx: Transaction, rows: list[DueRow]) -> dict[int, Parcel]:
    """The parcels of these messages; what a submission shares is read once."""
    found = tx.all("outbound_messages", message_ids=[row.message_id for row in rows])
    submission_ids = list({row[1] for row in found})
    contents = {
        submission_id: load_content(text)
        for submission_id, text in tx.all("submission_contents", submission_ids=submission_ids)
    }
    return {row[0]: _parcel(row, contents[row[1]]) for row in found}


# A dictionary is several times faster than calling the enumeration, and this runs for every message.
_CHANNELS = {int(channel): channel for channel in Channel}
_TRAFFICS = {int(traffic): traffic for traffic in Traffic}
_GUARANTEES = {int(guarantee): guarantee for guarantee in Guarantee}


def _parcel(row: Row, contents: dict[Channel, dict[str, object]]) -> Parcel:
    channel = _CHANNELS[row[2]]
    return Parcel(
        channel=channel,
        recipient=row[3],
        units=row[4],
        client_reference=row[5],
        expire_at_us=row[6],
        sender=row[7],
        traffic=_TRAFFICS[row[8]],
        guarantee=_GUARANTEES[row[9]],
        provider_pin=row[10],
        tags=load_labels(row[11]).tags,
        content=contents[channel],
    )


@value
class Settlement:
    """The outcome of one open attempt, and what decides what follows."""

    attempt: OpenAttempt
    outcome: Outcome
    gives_receipts: bool
    answers_questions: bool
    policy: DeliveryPolicy
    now_us: int
    chance: float
    spelling: IdSpelling = IdSpelling.EXACT


def settle(tx: Transaction, items: list[Settlement]) -> list[bool]:
    """Settle each attempt; False for one that is no longer this process's to settle."""
    journal, agenda = Journal(tx, items[0].now_us), Agenda(tx)
    message_ids = [item.attempt.message_id for item in items]
    journal.load(message_ids)
    agenda.load(message_ids)
    answers = []
    ids: list[ProviderId] = []
    for item in items:
        row = agenda.get(item.attempt.message_id)
        mine = (
            row is not None
            and row.work in {Work.SUBMITTED, Work.DOUBT}
            and row.attempt == item.attempt.message.attempt
            and row.fence == item.attempt.fence
        )
        if row is not None and mine:
            traits = MessageTraits(
                attempt=row.attempt,
                expire_at_us=row.expire_at_us,
                guarantee=item.attempt.guarantee,
                gives_receipts=item.gives_receipts,
                answers_questions=item.answers_questions,
                doubtful=row.doubtful,
            )
            decision = after_submit(item.outcome, traits, item.policy, now_us=item.now_us, chance=item.chance)
            ids += carry_out(journal, agenda, row, decision)
        answers.append(mine)
    register(
        tx, journal, agenda, ids, loose_spellings((item.attempt.provider, item.spelling) for item in items)
    )
    journal.flush()
    agenda.flush()
    return answers


def carry_out(journal: Journal, agenda: Agenda, row: DueRow, decision: Decision) -> list[ProviderId]:
    """Record a decision's facts and what is due next; answers the provider ids that are new."""
    new_ids: list[ProviderId] = []
    for fact, note in decision.facts:
        journal.happen(row.message_id, fact, note)
        if note.provider_message_ids:
            new_ids += provider_ids(row, note.provider_message_ids)
    match decision.then:
        case Retry(at_us, doubtful):
            row.work, row.at_us = Work.DISPATCH, at_us
            row.doubtful = row.doubtful or doubtful
            agenda.put(row)
        case Ask(at_us):
            row.work, row.at_us = Work.DOUBT, at_us
            agenda.put(row)
        case AwaitReceipt(at_us, parts):
            if row.work is not Work.RECEIPT:
                row.work, row.asked, row.pending_parts = Work.RECEIPT, 0, parts
            row.at_us = at_us
            agenda.put(row)
        case Done():
            agenda.done(row.message_id)
    return new_ids
