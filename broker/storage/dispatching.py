"""Verbs of the dispatcher after a hand-over: settle outcomes, and give up what nobody will hear of."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from broker.domain.consent import ConsentChange
from broker.domain.decision import (
    Ask,
    AwaitReceipt,
    Decision,
    DeliveryPolicy,
    Done,
    MessageTraits,
    Retry,
    after_submit,
)
from broker.domain.ids import format_id
from broker.domain.outcome import Outcome
from broker.domain.particulars import NO_PARTICULARS, Particulars
from broker.domain.price import PricedItem
from broker.domain.records import Labels
from broker.domain.spelling import IdSpelling
from broker.domain.submission import NO_TOKENS
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Guarantee, Traffic
from broker.spi import OutboundMessage
from broker.storage.agenda import Agenda, DueRow, Work
from broker.storage.consenting import record_consent
from broker.storage.documents import StoredContent, load_content, load_labels, load_tokens
from broker.storage.journal import Journal
from broker.storage.learning import told_by_answer
from broker.storage.links import NO_LINKS, read_short_urls
from broker.storage.matching import ProviderId, loose_spellings, provider_ids, register
from broker.storage.particulars import Answered, particulars_of, read_answered, with_answered
from broker.storage.transaction import Row, Transaction
from broker.storage.ways import Ways


@value
class OpenAttempt:
    """An attempt that is recorded and whose provider was not called yet.

    `crashes` of the earlier attempts at the message ended with the death of the process. `repeated`: all its
    candidates have refused it before.
    """

    provider: str
    fence: int
    guarantee: Guarantee
    account_id: int
    message_id: int
    message: OutboundMessage
    crashes: int = 0
    repeated: bool = False


@value
class Parcel:
    """What a provider needs of a stored message, before an attempt is known."""

    channel: Channel
    recipient: str
    units: int
    client_reference: str
    sender: str
    traffic: Traffic
    guarantee: Guarantee
    provider_pin: str
    tags: tuple[str, ...]
    answers_consent: bool
    content: dict[str, object]
    broadcast_id: int | None = None
    particulars: Particulars = NO_PARTICULARS
    answered: Answered | None = None
    priced_as: PricedItem = PricedItem.MESSAGE_UNIT

    def outbound(self, due: DueRow, provider_message_ids: tuple[str, ...] = ()) -> OutboundMessage:
        """The message as its provider gets it."""
        written_id = format_id(due.message_id)
        return OutboundMessage(
            message_id=written_id,
            # What a provider took on the channel that was left is another message to it.
            idempotency_key=f"{written_id}-{due.way}" if due.way else written_id,
            channel=self.channel,
            recipient=self.recipient,
            sender=self.sender,
            content=self.content,
            traffic=self.traffic,
            attempt=due.attempt,
            submitted_at_us=due.submitted_at_us,
            expire_at_us=due.expire_at_us,
            units=self.units,
            client_reference=self.client_reference,
            account_id=_account_text(due.account_id),
            tags=self.tags,
            provider_message_ids=provider_message_ids,
            particulars=with_answered(self.particulars, self.answered, due.provider),
        )


def load_outbound(tx: Transaction, rows: list[DueRow]) -> dict[int, Parcel]:
    """The parcels of these messages; what a submission shares is read once."""
    found = tx.all("outbound_messages", message_ids=[row.message_id for row in rows])
    submission_ids = list({row[1] for row in found})
    contents = {
        submission_id: load_content(text)
        for submission_id, text in tx.all("submission_contents", submission_ids=submission_ids)
    }
    personal = [row[0] for row in found if contents[row[1]].tokens is not None]
    tokens = read_tokens(tx, personal)
    short_urls = read_short_urls(tx, [row[0] for row in found if contents[row[1]].link_domain])
    labels = [load_labels(row[10]) for row in found]
    answered = read_answered(tx, labels)
    return {
        row[0]: _parcel(
            row,
            contents[row[1]],
            of,
            tokens.get(row[0], NO_TOKENS),
            short_urls.get(row[0], NO_LINKS),
            answered,
        )
        for row, of in zip(found, labels, strict=True)
    }


def read_tokens(tx: Transaction, message_ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
    """The own values of those recipients that have some, by message."""
    rows = tx.all("tokens_of_messages", message_ids=list(message_ids)) if message_ids else ()
    return {row[0]: load_tokens(row[1]) for row in rows}


_account_text = lru_cache(maxsize=4096)(format_id)

# A dictionary is several times faster than calling the enumeration, and this runs for every message.
_CHANNELS = {int(channel): channel for channel in Channel}
_TRAFFICS = {int(traffic): traffic for traffic in Traffic}
_GUARANTEES = {int(guarantee): guarantee for guarantee in Guarantee}


def _parcel(
    row: Row,
    said: StoredContent,
    labels: Labels,
    own: Mapping[str, str],
    short_urls: Mapping[str, str],
    answered: Mapping[int, Answered],
) -> Parcel:
    channel = _CHANNELS[row[2]]
    return Parcel(
        channel=channel,
        recipient=row[3],
        units=row[4],
        client_reference=row[5],
        sender=row[6],
        traffic=_TRAFFICS[row[7]],
        guarantee=_GUARANTEES[row[8]],
        provider_pin=row[9],
        tags=labels.tags,
        answers_consent=labels.answers_consent,
        content=said.said_on(channel, own, short_urls),
        broadcast_id=row[11],
        particulars=particulars_of(labels, said, own, shortened=bool(short_urls)),
        answered=answered.get(labels.reply_to_message_id or 0),
        priced_as=labels.priced_as,
    )


@value
class Settlement:
    """The outcome of one open attempt, and what decides what follows.

    `shut` are the instances that take nothing now; `keeps_keys`: this one ignores what it took before.
    """

    attempt: OpenAttempt
    outcome: Outcome
    gives_receipts: bool
    answers_questions: bool
    policy: DeliveryPolicy
    now_us: int
    chance: float
    spelling: IdSpelling = IdSpelling.EXACT
    shut: frozenset[str] = frozenset()
    keeps_keys: bool = False


def settle(tx: Transaction, items: list[Settlement]) -> list[bool]:
    """Settle each attempt; False for one that is no longer this process's to settle."""
    journal, agenda = Journal(tx, items[0].now_us), Agenda(tx)
    ways = Ways(tx, journal, agenda, items[0].now_us)
    message_ids = [item.attempt.message_id for item in items]
    journal.load(message_ids)
    agenda.load(message_ids)
    answers = []
    ids: list[ProviderId] = []
    stops: list[ConsentChange] = []
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
                attempt=ways.attempts_on(row),
                expire_at_us=row.expire_at_us,
                guarantee=item.attempt.guarantee,
                gives_receipts=item.gives_receipts,
                answers_questions=item.answers_questions,
                doubtful=row.doubtful,
                provider=row.provider,
                candidates=row.candidates,
                shut=item.shut,
                hops=row.hops,
                rounds=row.rounds,
                crashes=row.crashes,
                keeps_keys=item.keeps_keys,
            )
            decision = after_submit(item.outcome, traits, item.policy, now_us=item.now_us, chance=item.chance)
            # Before it goes on elsewhere: the wish was told by the provider that it is with.
            stops += told_by_answer(item.outcome, row, item.attempt.message, item.now_us)
            ids += carry_out(journal, agenda, ways, row, decision, item.now_us)
        answers.append(mine)
    spellings = loose_spellings((item.attempt.provider, item.spelling) for item in items)
    register(tx, journal, agenda, ways, ids, spellings, items[0].now_us)
    journal.flush()
    agenda.flush()
    ways.flush()
    record_consent(tx, stops)
    return answers


def give_up(tx: Transaction, items: list[OpenAttempt]) -> list[bool]:
    """Say of open attempts that this process ends before it hears of them: it did not die of them.

    They are overdue at once. False for one that is no longer this process's.
    """
    agenda = Agenda(tx)
    agenda.load([item.message_id for item in items])
    answers = []
    for item in items:
        row = agenda.get(item.message_id)
        mine = (
            row is not None
            and row.work is Work.SUBMITTED
            and (row.attempt, row.fence) == (item.message.attempt, item.fence)
        )
        if row is not None and mine:
            row.fence, row.at_us = 0, row.submitted_at_us
            agenda.put(row)
        answers.append(mine)
    agenda.flush()
    return answers


def carry_out(
    journal: Journal, agenda: Agenda, ways: Ways, row: DueRow, decision: Decision, now_us: int
) -> list[ProviderId]:
    """Record a decision's facts and what is due next; answers the provider ids that are new.

    A message that would end goes on by its next channel, where it may.
    """
    new_ids: list[ProviderId] = []
    for fact, note in decision.facts:
        if ways.go_on(row, fact, note):
            return new_ids
        journal.happen(row.message_id, fact, note)
        if note.provider_message_ids:
            new_ids += provider_ids(row, note.provider_message_ids, note.aliases)
    match decision.then:
        case Retry(at_us, doubtful, provider, rounds):
            row.plan_dispatch(at_us, now_us)
            row.doubtful = row.doubtful or doubtful
            row.hops += provider != row.provider
            row.provider, row.rounds = provider, rounds
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
