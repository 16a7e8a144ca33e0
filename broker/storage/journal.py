"""The one place where a message changes and events are written: a row, and the event that says so, together.

A verb loads the heads of the messages it is about, states facts, and flushes. `lifecycle` decides what
each fact leads to; the journal only writes that down, in bulk.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

import orjson

from broker.domain.charging import SENT, Charge, charge_after
from broker.domain.decision import NOTHING, Note
from broker.domain.lifecycle import Fact, State, Step, advance, begin
from broker.domain.vocabulary import Channel, EventKind
from broker.storage.broadcast_tally import Tally
from broker.storage.documents import cost_through, with_cost
from broker.storage.ledger import Ledger, told_of
from broker.storage.transaction import Transaction


@dataclass(slots=True)
class Head:
    """What a message's next change depends on."""

    message_id: int
    account_id: int
    state: State
    last_sequence: int
    attempts: int
    provider: str
    reason: str | None = None
    ended_at_us: int | None = None
    price: int | None = None
    prices: str | None = None
    charge: Charge = Charge.NONE
    broadcast_id: int | None = None


_KIND_AND_FACT = itemgetter(18, 5)
_MESSAGE = EventKind.MESSAGE
_NO_FACT = 0
_NO_STATE = 0
_IN_NO_CHAIN = -1
_WRITTEN = frozenset({Fact.HANDED_OVER, Fact.HANDED_OVER_UNTRACKED, Fact.DOUBTED})
"""With these a provider has the message, or may have it: its recipient can answer."""

_NAMES: dict[object, str] = {(_MESSAGE, fact): fact.name for fact in Fact} | {
    (kind, _NO_FACT): kind.name for kind in EventKind
}
_NAMES[EventKind.INBOUND, Fact.RECEIVED] = Fact.RECEIVED.name
_STATES = {int(state): state for state in State}
_CHARGES = {int(charge): charge for charge in Charge}


class Journal:
    """Facts about messages within one transaction, at one time."""

    def __init__(self, tx: Transaction, now_us: int) -> None:
        self._tx = tx
        self._now_us = now_us
        self._heads: dict[int, Head] = {}
        self._events: list[tuple[object, ...]] = []
        self._moved: set[int] = set()
        self._priced: list[tuple[object, ...]] = []
        self._written: list[int] = []
        self._tally = Tally()

    def load(self, message_ids: Iterable[int]) -> bool:
        """Read the heads of these messages, and hold their accounts; whether those were not held before."""
        wanted = [message_id for message_id in message_ids if message_id not in self._heads]
        rows = self._tx.all("message_heads", message_ids=wanted) if wanted else []
        locked = self._tx.lock_accounts(row[1] for row in rows)
        if locked:  # until then, others may have changed them
            rows = self._tx.all("message_heads", message_ids=wanted)
        for row in rows:
            self._heads[row[0]] = Head(
                row[0],
                row[1],
                _STATES[row[2]],
                row[3],
                row[4],
                row[5],
                row[6],
                row[7],
                row[8],
                row[9],
                _CHARGES[row[10]],
                row[11],
            )
        return locked

    def head(self, message_id: int) -> Head:
        """A loaded message as it stands in this transaction."""
        return self._heads[message_id]

    def find(self, message_id: int) -> Head | None:
        """A loaded message, None when the store has none of that id."""
        return self._heads.get(message_id)

    def begin(
        self,
        message_id: int,
        account_id: int,
        step: Step,
        note: Note = NOTHING,
        *,
        at_us: int | None = None,
        broadcast_id: int | None = None,
    ) -> int:
        """Write a new message's first event; answers its sequence. The caller inserts the message.

        `at_us` is when it was accepted, where that is not the journal's time: the message and the event say the same.
        """
        if broadcast_id is not None:
            self._tally.begin(broadcast_id, step, note.reason)
        sequence = self._tx.next_sequence(account_id)
        reason = note.reason.name if note.reason else None
        # fmt: off
        self._events.append((
            account_id, sequence, at_us or self._now_us, message_id, 0, step.fact, step.state, None, reason,
            note.detail or None, 0, None, None, 0, None, None, None, None, _MESSAGE, None,
        ))
        # fmt: on
        return sequence

    def happen(self, message_id: int, fact: Fact, note: Note = NOTHING) -> Step:
        """State a fact about a loaded message; raises IllegalMove when it cannot happen."""
        head = self._heads[message_id]
        step = advance(head.state, fact)
        previous_state, previous_sequence = head.state, head.last_sequence
        head.last_sequence = self._tx.next_sequence(head.account_id)
        if step.state is not head.state:
            head.state = step.state
            head.reason = note.reason.name if note.reason else None
            if step.end:
                head.ended_at_us = self._now_us
            if head.price is not None:
                self._charge(head)
            if head.broadcast_id is not None:
                self._tally.move(head.broadcast_id, previous_state, step)
        self._moved.add(message_id)
        if fact in _WRITTEN:
            self._written.append(message_id)
        self._write(head, head.last_sequence, previous_sequence, step, previous_state, note)
        return step

    def receive(self, message_id: int, account_id: int, told: Mapping[str, object]) -> int:
        """Write the only event of a message that came in; answers its sequence. The caller inserts the message.

        It begins the message's history, and says what was received, kept as JSON.
        """
        sequence = self._tx.next_sequence(account_id)
        step = begin(Fact.RECEIVED)
        # fmt: off
        self._events.append((
            account_id, sequence, self._now_us, message_id, 0, step.fact, step.state, None, None,
            None, 0, None, None, 0, None, None, None, None, EventKind.INBOUND, orjson.dumps(told).decode(),
        ))
        # fmt: on
        return sequence

    def _charge(self, head: Head) -> None:
        """What a message costs follows where it stands now; the only place that charges and gives back."""
        assert head.price is not None
        before, most = head.charge, head.price
        if head.prices is not None and head.state in SENT and before in {Charge.NONE, Charge.HELD}:
            channel = partial(self._channel, head.message_id)
            head.price = cost_through(head.prices, head.provider, most, channel)
        head.charge = charge_after(before, head.state)
        if head.charge is before:
            return
        ledger = open_ledger(self._tx, self._now_us)
        if head.charge is Charge.SETTLED:
            ledger.settle(head.account_id, most, head.price)
        elif before is Charge.HELD:
            ledger.release(head.account_id, most)
        else:
            ledger.refund(head.account_id, most)

    def price(self, message_id: int, provider: str, channel: Channel, micros: int) -> None:
        """What a loaded message costs through a provider that it was not planned for: no more than is held for it.

        Where it has no price it stays free.
        """
        head = self._heads[message_id]
        if head.price is not None:
            head.prices = with_cost(head.prices, provider, channel, min(micros, head.price))
            self._priced.append((message_id, head.prices))

    def _channel(self, message_id: int) -> Channel:
        """By which a message goes now."""
        row = self._tx.one("channel_of_message", message_id=message_id)
        assert row is not None
        return Channel(row[0])

    def attempt(self, message_id: int, provider: str) -> int:
        """Record that `provider` is about to be called; answers the attempt's number."""
        head = self._heads[message_id]
        head.attempts += 1
        head.provider = provider
        self.happen(message_id, Fact.ATTEMPTED)
        return head.attempts

    def tell(self, account_id: int, kind: EventKind, told: Mapping[str, object], message_id: int = 0) -> int:
        """Write an event that moves no message; answers its sequence. `told` is what it says, kept as JSON.

        `message_id` is the account's message that it came of, 0: none. Readers can ask for its labels, and
        its callback address is called.
        """
        sequence = self._tx.next_sequence(account_id)
        document = orjson.dumps(told).decode()
        # fmt: off
        self._events.append((
            account_id, sequence, self._now_us, message_id, _IN_NO_CHAIN, _NO_FACT, _NO_STATE, None, None,
            None, 0, None, None, 0, None, None, None, None, kind, document,
        ))
        # fmt: on
        return sequence

    def flush(self) -> None:
        """Write it all."""
        self._tx.bulk("insert_events", self._events)
        self._tally.flush(self._tx)
        for key, count in Counter(map(_KIND_AND_FACT, self._events)).items():
            self._tx.facts[_NAMES[key]] += count
        self._tx.bulk(
            "update_heads",
            [
                (
                    head.message_id,
                    head.state,
                    head.last_sequence,
                    head.attempts,
                    head.provider,
                    head.reason,
                    head.ended_at_us,
                    head.price,
                    head.charge,
                )
                for head in map(self._heads.__getitem__, self._moved)
            ],
        )
        if self._priced:
            self._tx.bulk("update_prices", self._priced)
        if self._written:
            self._tx.all("note_correspondence", message_ids=self._written, now=self._now_us)

    def _write(
        self, head: Head, sequence: int, previous: int, step: Step, previous_state: State | None, note: Note
    ) -> None:
        self._events.append((
            head.account_id,
            sequence,
            self._now_us,
            head.message_id,
            previous,
            step.fact,
            step.state,
            previous_state,
            note.reason.name if note.reason else None,
            note.detail or None,
            head.attempts,
            head.provider or None,
            "\n".join(note.provider_message_ids) or None,
            note.part,
            note.code or None,
            note.text or None,
            note.next_attempt_at_us,
            note.next_provider or None,
            _MESSAGE,
            _told(note),
        ))


def _told(note: Note) -> str | None:
    if note.previous_channel is None:
        return None
    return orjson.dumps({"previous_channel": note.previous_channel}).decode()


def open_ledger(tx: Transaction, now_us: int) -> Ledger:
    """The transaction's ledger. It is closed with the transaction, and tells of accounts that fell below their mark."""

    def begin_it() -> Ledger:
        ledger = Ledger(tx)
        tx.before_commit(partial(_close_ledger, tx, ledger, now_us))
        return ledger

    return tx.shared(Ledger, begin_it)


def _close_ledger(tx: Transaction, ledger: Ledger, now_us: int) -> None:
    journal = Journal(tx, now_us)
    for crossing in ledger.close(now_us):
        journal.tell(crossing.account_id, EventKind.BALANCE, told_of(crossing))
    journal.flush()
