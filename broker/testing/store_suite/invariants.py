"""What is true of every store between two transactions, checked over the whole of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from broker.domain.consent import fold
from broker.domain.correlation import MessageFilter
from broker.domain.lifecycle import ENDS, Fact, State, Step, advance, begin
from broker.domain.records import EventRecord, MessageChange, MessageRecord
from broker.domain.vocabulary import EventKind
from broker.storage.agenda import DueRow, Work
from broker.storage.broadcast_rows import read_broadcast
from broker.storage.calling import read_misfits
from broker.storage.consenting import read_record, read_states
from broker.storage.history import read_events, read_log_bounds, read_message
from broker.storage.keeping import read_due_counts
from broker.storage.ledger import read_ledger_misfits
from broker.storage.listing import MessageQuery, read_page
from broker.storage.retiring import read_retired
from broker.storage.transaction import Transaction
from broker.testing.store_suite.bench import read_due
from broker.testing.store_suite.directory_invariants import check_directory
from broker.testing.store_suite.recount import check_usage

ALL = 1_000_000

STATES_OF_WORK = {
    Work.WAITING: {State.ACCEPTED, State.SCHEDULED, State.PROCESSING},
    Work.DISPATCH: {State.ACCEPTED, State.SCHEDULED, State.PROCESSING},
    Work.SUBMITTED: {State.PROCESSING},
    Work.DOUBT: {State.PROCESSING},
    Work.RECEIPT: {State.SENT},
}
"""Where a message can stand while this is due for it."""


def check_store(tx: Transaction, accounts: Sequence[int]) -> None:
    """Read everything on one snapshot and raise AssertionError where something does not fit."""
    assert fold(read_record(tx)) == read_states(tx), "wishes that the record does not add up to"
    lives = 0
    for account_id in accounts:
        check_directory(tx, account_id)
        events = read_events(tx, account_id, 0, ALL)
        _check_log(tx, account_id, events)
        by_message: defaultdict[int, list[EventRecord]] = defaultdict(list)
        for event in events:
            if event.kind is EventKind.MESSAGE or (event.kind is EventKind.INBOUND and event.message_id):
                by_message[event.message_id].append(event)
        listed = {each.message_id: each for each in _messages(tx, account_id)}
        due = read_due(tx, list(listed))
        lives += len(due)
        _check_broadcasts(tx, account_id, listed.values())
        assert by_message.keys() <= listed.keys(), "events without a message"
        trimmed = read_log_bounds(tx, account_id)[0] > 1
        assert trimmed or by_message.keys() == listed.keys(), "a message without events"
        for message_id, message in listed.items():
            chain = by_message[message_id]
            if chain and (_change_of(chain[0]).previous_state is None or not trimmed):
                _check_life(chain)
                _check_timeline(tx, account_id, chain)
                _check_head(message, chain)
            _check_due(message, due.get(message_id))
        if events and not trimmed:
            check_usage(tx, account_id, events)
    assert sum(read_due_counts(tx)[0].values()) == lives, "a due row of no message that is in a log"
    assert read_ledger_misfits(tx) == []
    assert not read_misfits(tx), "an endpoint that counts its callbacks wrongly, or a callback of none"


def _check_broadcasts(tx: Transaction, account_id: int, messages: Iterable[MessageRecord]) -> None:
    """The counters of broadcasts say what their messages are, and how many of them are gone."""
    by_broadcast: defaultdict[int, list[MessageRecord]] = defaultdict(list)
    for each in messages:
        if each.labels.broadcast_id is not None:
            by_broadcast[each.labels.broadcast_id].append(each)
    for broadcast_id, own in by_broadcast.items():
        found = read_broadcast(tx, account_id, broadcast_id)
        assert found is not None, "messages of no broadcast"
        counted, gone = found.progress, read_retired(tx, broadcast_id)
        if found.upstream_provider:  # only those who are refused become messages
            assert counted.refused == len(own) + gone
            continue
        assert counted.refused + counted.accepted == len(own) + gone
        if gone:
            continue
        assert sum(each.state in ENDS for each in own) - counted.refused == counted.ended
        assert sum(each.state is State.DELIVERED for each in own) == counted.delivered


def _check_log(tx: Transaction, account_id: int, events: Sequence[EventRecord]) -> None:
    """Sequences are dense from the oldest that is kept to the head."""
    oldest, last = read_log_bounds(tx, account_id)
    assert list(range(oldest, last + 1)) == [event.sequence for event in events]


def _change_of(event: EventRecord) -> MessageChange:
    """What an event says of its message; that one came in says that it is here."""
    if event.kind is EventKind.INBOUND:
        step = begin(Fact.RECEIVED)
        return MessageChange(step.fact, step.state, None)
    return event.moved


def _check_life(chain: Sequence[EventRecord]) -> None:
    """Each event follows from the one before by the table of moves; an end is reached once."""
    first = _change_of(chain[0])
    assert first.previous_state is None
    assert begin(first.fact) == Step(first.state, first.fact, first.end)
    state = first.state
    for event in chain[1:]:
        change = event.moved
        assert state == change.previous_state
        assert advance(state, change.fact) == Step(change.state, change.fact, change.end)
        state = change.state
    changes = [_change_of(each) for each in chain]
    moves_to_end = [each for each in changes if each.end and each.previous_state not in ENDS]
    assert len(moves_to_end) == (1 if state in ENDS else 0)


def _check_timeline(tx: Transaction, account_id: int, chain: Sequence[EventRecord]) -> None:
    """Walking back along previous_sequence finds every event of the message."""
    found = read_message(tx, account_id, chain[0].message_id)
    assert found is not None
    assert [(e.sequence, e.time_us, _change_of(e)) for e in chain] == [
        (e.sequence, e.time_us, e.change) for e in found[1]
    ]


def _check_head(message: MessageRecord, chain: Sequence[EventRecord]) -> None:
    """The row says what the events say."""
    changes = [_change_of(each) for each in chain]
    last = changes[-1]
    mover = [each for each in changes if each.state is not each.previous_state][-1]
    assert last.state is message.state
    assert mover.reason is message.reason
    assert last.attempt == message.attempts
    assert message.attempts == sum(each.fact is Fact.ATTEMPTED for each in changes)
    assert (message.state in ENDS) == (message.ended_at_us is not None)


def _check_due(message: MessageRecord, row: DueRow | None) -> None:
    """Exactly one thing is due for a message that has not ended, and nothing for one that has."""
    assert (message.state not in ENDS) == (row is not None)
    if row is None:
        return
    assert message.state in STATES_OF_WORK[row.work]
    assert message.account_id == row.account_id
    assert row.expire_at_us <= message.expire_at_us, "a way that is longer than the message is valid"
    assert row.ways_ahead or row.expire_at_us == message.expire_at_us, "the last way ends with the validity"
    assert message.attempts == row.attempt
    assert (row.work is Work.RECEIPT) <= (row.pending_parts > 0)
    if row.work is not Work.SUBMITTED and not row.asked:
        assert row.at_us <= row.expire_at_us


def _messages(tx: Transaction, account_id: int) -> list[MessageRecord]:
    """Every message that is not deleted, and every one that is."""
    found: list[MessageRecord] = []
    before_id = None
    for wanted in (MessageFilter(), MessageFilter(deleted=True)):
        while True:
            page = read_page(tx, MessageQuery(account_id, wanted, before_id, ALL))
            found += page.messages
            before_id = page.next_before_id
            if before_id is None:
                break
    return found
