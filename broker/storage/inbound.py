"""The verb of what comes in: each message once, in its account, beside the message that it answers.

All that follows from it at once is of the same transaction, so a provider that is told that we have it is
told the truth.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from broker.domain.callback_url import CallbackMethod
from broker.domain.inbound import AssignedBy, InboundKind, InboundRules, Written, last_written
from broker.domain.lifecycle import Fact, begin
from broker.domain.outcome import Inbound
from broker.domain.records import NO_LABELS, Labels
from broker.domain.submission import Callback
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Direction, Guarantee, Traffic
from broker.storage.documents import dump_inbound_content, dump_reply_labels, load_labels
from broker.storage.journal import Journal
from broker.storage.transaction import Row, Transaction
from broker.storage.webhooks import follow_accounts

ROUTE_VERSION_NONE = 0


@value
class Arrival:
    """A message that a provider instance reported, in normal form, with the ids that it gets.

    `account_id` is the account that the settings name for the instance.
    """

    provider: str
    inbound: Inbound
    submission_id: int
    message_id: int
    now_us: int
    rules: InboundRules
    account_id: int | None = None


@value
class Kept:
    """It is stored."""

    account_id: int
    message_id: int


@value
class Duplicate:
    """The provider reported it before."""


@value
class Assignment:
    """Whose an inbound message is, how that was found, what it is, and the message that it answers."""

    account_id: int
    by: AssignedBy
    kind: InboundKind
    reply_to: int | None


def record_inbound(tx: Transaction, items: list[Arrival]) -> list[Kept | Duplicate]:
    """Store each message that is new, and tell its account of it."""
    fresh = _fresh(tx, items)
    if not fresh:
        return [Duplicate()] * len(items)
    assigned = _assign(tx, fresh)
    tx.lock_accounts(sorted({each.account_id for each in assigned}))
    writer = _Writer(tx, fresh[0].now_us, _answered(tx, assigned))
    for arrival, assignment in zip(fresh, assigned, strict=True):
        writer.add(arrival, assignment)
    writer.flush()
    kept = {arrival.message_id: each.account_id for arrival, each in zip(fresh, assigned, strict=True)}
    return [
        Kept(kept[item.message_id], item.message_id) if item.message_id in kept else Duplicate()
        for item in items
    ]


def _fresh(tx: Transaction, items: Sequence[Arrival]) -> list[Arrival]:
    """Those that were not reported before. Without an id of the provider's, nobody can tell."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for item in items:
        if item.inbound.provider_message_id:
            wanted[item.provider].add(item.inbound.provider_message_id)
    seen = {
        (provider, row[0])
        for provider, ids in wanted.items()
        for row in tx.all("known_inbound", provider=provider, provider_message_ids=sorted(ids))
    }
    fresh = []
    for item in items:
        place = (item.provider, item.inbound.provider_message_id)
        if not place[1] or place not in seen:
            seen.add(place)
            fresh.append(item)
    return fresh


def _assign(tx: Transaction, arrivals: Sequence[Arrival]) -> list[Assignment]:
    written = read_correspondence(tx, {each.inbound.sender for each in arrivals})
    named = sorted({each.account_id for each in arrivals if each.account_id is not None})
    there = {row[0] for row in tx.all("accounts_among", account_ids=named)} if named else set()
    first = tx.one("first_account")
    assert first is not None
    return [_assign_one(each, written[each.inbound.sender], there, int(first[0])) for each in arrivals]


def _assign_one(arrival: Arrival, written: Sequence[Written], there: set[int], default_id: int) -> Assignment:
    inbound, rules = arrival.inbound, arrival.rules
    last = last_written(written, inbound.recipient, arrival.provider, arrival.now_us - rules.memory_us)
    if last is not None:
        recent = last.at_us >= arrival.now_us - rules.window_us
        kind = InboundKind.REPLY if recent else InboundKind.OTHER
        return Assignment(last.account_id, AssignedBy.LAST_MESSAGE, kind, last.message_id)
    if arrival.account_id in there:
        assert arrival.account_id is not None
        return Assignment(arrival.account_id, AssignedBy.INSTANCE, InboundKind.OTHER, None)
    return Assignment(default_id, AssignedBy.DEFAULT, InboundKind.OTHER, None)


def read_correspondence(tx: Transaction, people: set[str]) -> Mapping[str, Sequence[Written]]:
    """What was last written to each of these people, by anybody."""
    found: defaultdict[str, list[Written]] = defaultdict(list)
    for person, *rest in tx.all("correspondence_of", people=sorted(people)):
        found[person].append(Written(*rest))
    return found


@value
class _Answered:
    """What an answer takes over from the message that it answers."""

    channel: Channel | None
    client_reference: str
    data: str
    labels: Labels
    contact_id: int | None
    callback: Callback | None


_NOTHING_ANSWERED = _Answered(None, "", "", NO_LABELS, None, None)


def _answered(tx: Transaction, assigned: Sequence[Assignment]) -> Mapping[int, _Answered]:
    wanted = sorted({each.reply_to for each in assigned if each.reply_to is not None})
    rows = tx.all("answered_messages", message_ids=wanted) if wanted else []
    return {row[0]: _answered_of(row) for row in rows}


def _answered_of(row: Row) -> _Answered:
    _, channel, client_reference, data, labels, contact_id, url, method = row
    callback = Callback(url, CallbackMethod(method)) if url else None
    return _Answered(
        Channel(channel) if channel else None,
        client_reference,
        data,
        load_labels(labels),
        contact_id,
        callback,
    )


class _Writer:
    """The rows of several messages that came in, written in bulk."""

    def __init__(self, tx: Transaction, now_us: int, answered: Mapping[int, _Answered]) -> None:
        self._tx = tx
        self._now_us = now_us
        self._answered = answered
        self._journal = Journal(tx, now_us)
        self._submissions: list[tuple[object, ...]] = []
        self._messages: list[tuple[object, ...]] = []
        self._inbound: list[tuple[object, ...]] = []
        self._callbacks: list[tuple[object, ...]] = []
        self._followed: dict[int, int] = {}

    def add(self, arrival: Arrival, assignment: Assignment) -> None:
        inbound, account_id = arrival.inbound, assignment.account_id
        # Of a message that was deleted or is past its retention nothing is taken over, not even its id.
        known = assignment.reply_to in self._answered
        reply_to = assignment.reply_to if known else None
        answered = self._answered[reply_to] if reply_to is not None else _NOTHING_ANSWERED
        channel = answered.channel or (Channel.EMAIL if "@" in inbound.sender else Channel.SMS)
        received_us = self._now_us if inbound.time_us is None else inbound.time_us
        sequence = self._journal.receive(
            arrival.message_id, account_id, _told(arrival, assignment, received_us)
        )
        self._submissions.append((
            arrival.submission_id,
            account_id,
            inbound.sender,
            Traffic.CONVERSATIONAL,
            Guarantee.AT_LEAST_ONCE,
            "",
            dump_reply_labels(answered.labels, reply_to),
            dump_inbound_content(channel, inbound.text),
        ))
        self._messages.append(self._message(arrival, account_id, channel, answered, sequence))
        place = (arrival.provider, inbound.provider_message_id)
        self._inbound.append((arrival.message_id, *place, received_us, assignment.by))
        if answered.callback is not None:
            callback = answered.callback
            self._callbacks.append((arrival.submission_id, callback.url, callback.method))
            self._followed.setdefault(account_id, sequence - 1)

    def _message(
        self, arrival: Arrival, account_id: int, channel: Channel, answered: _Answered, sequence: int
    ) -> tuple[object, ...]:
        return (
            arrival.message_id,
            account_id,
            arrival.submission_id,
            channel,
            arrival.inbound.recipient,
            begin(Fact.RECEIVED).state,
            None,
            None,
            1,
            arrival.provider,
            0,
            self._now_us,
            self._now_us,
            self._now_us,
            self._now_us,
            answered.client_reference,
            answered.data,
            sequence,
            ROUTE_VERSION_NONE,
            answered.contact_id,
            Direction.INBOUND,
        )

    def flush(self) -> None:
        self._tx.bulk("insert_submissions", self._submissions)
        self._tx.bulk("insert_received", self._messages)
        self._tx.bulk("insert_inbound", self._inbound)
        self._tx.bulk("insert_submission_callbacks", self._callbacks)
        follow_accounts(self._tx, self._followed)
        self._journal.flush()


def _told(arrival: Arrival, assignment: Assignment, received_us: int) -> Mapping[str, object]:
    """What the event says besides what its message has; `api/convert/other_events` reads it."""
    return {
        "text": arrival.inbound.text,
        "received_at_us": received_us,
        "provider": arrival.provider,
        "provider_message_id": arrival.inbound.provider_message_id,
        "kind": assignment.kind,
        "assigned_by": assignment.by,
    }


@value
class CorrespondencePlace:
    """A place within the correspondence, in its order."""

    person: str = ""
    address: str = ""
    account_id: int = 0
    provider: str = ""


@value
class CorrespondenceSweep:
    """Forget what was written before a time, of the next `rows_max` rows after a place."""

    after: CorrespondencePlace
    before_us: int
    rows_max: int


def sweep_correspondence(
    tx: Transaction, items: list[CorrespondenceSweep]
) -> list[CorrespondencePlace | None]:
    """Forget a stretch of whom we wrote to; answers where to go on, None at the end."""
    return [_sweep_one(tx, item) for item in items]


def _sweep_one(tx: Transaction, wish: CorrespondenceSweep) -> CorrespondencePlace | None:
    after = wish.after
    rows = tx.all(
        "correspondence_after",
        person=after.person,
        address=after.address,
        account_id=after.account_id,
        provider=after.provider,
        rows_max=wish.rows_max,
    )
    tx.bulk("forget_correspondence", [row[:4] for row in rows if row[4] < wish.before_us])
    return CorrespondencePlace(*rows[-1][:4]) if len(rows) == wish.rows_max else None
