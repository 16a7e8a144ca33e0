"""A broadcast in the words of a test: one call for each verb."""

from typing import Any

from broker.domain.audience import NOTHING_MORE, AudienceRow
from broker.domain.broadcast import (
    Broadcast,
    BroadcastState,
    Move,
    Pace,
    Place,
    Stage,
)
from broker.domain.lifecycle import State
from broker.domain.plan import Plan
from broker.domain.submission import Recipient
from broker.domain.vocabulary import Traffic
from broker.storage.broadcast_rows import BroadcastRow, read_active, read_broadcast
from broker.storage.broadcasts import NewBroadcast, Tending, Wanted, make_broadcasts, move_broadcasts, tend
from broker.storage.expanding import (
    Expanded,
    Gathered,
    Sifted,
    expand,
    gather,
    sift,
)
from broker.testing.builders import DAY_US, planned, submission
from broker.testing.store_suite.bench import Bench

REQUEST = b"as it was asked for"
S = BroadcastState
START = Place(Stage.GATHERING)


def rows(count: int, first: int = 1) -> tuple[AudienceRow, ...]:
    """Rows with numbers of their own."""
    return tuple(
        AudienceRow(number, f"+4477009{number:05d}", "", "", NOTHING_MORE)
        for number in range(first, first + count)
    )


class Kept:
    """A broadcast in the words of a test."""

    def __init__(self, bench: Bench, broadcast: Broadcast) -> None:
        self.bench = bench
        self.broadcast_id = broadcast.broadcast_id
        self.account_id = broadcast.account_id

    async def move(self, wish: Move, account_id: int | None = None) -> Any:
        """What a move comes to."""
        item = Wanted(account_id or self.account_id, self.broadcast_id, wish, self.bench.now_us)
        (answer,) = await self.bench.store.write(move_broadcasts, [item], [self.account_id])
        return answer

    async def now(self) -> Broadcast:
        """As it is."""
        found = await self.bench.store.read(read_broadcast, self.account_id, self.broadcast_id)
        assert found is not None
        return found

    async def row(self) -> BroadcastRow:
        """With what its keepers need."""
        active = await self.bench.store.read(read_active)
        (row,) = [each for each in active if each.broadcast.broadcast_id == self.broadcast_id]
        return row

    async def tend(self, *, tells: bool = False, rows_max: int = 100) -> bool:
        """Look after it once."""
        item = Tending(self.broadcast_id, self.account_id, self.bench.now_us, rows_max, tells)
        (again,) = await self.bench.store.write(tend, [item], [self.account_id])
        return again

    def plan(self, *recipients: Recipient, **changes: Any) -> Plan:
        """A plan for messages of it."""
        asked = submission(
            account_id=self.account_id,
            recipients=recipients,
            broadcast_id=self.broadcast_id,
            traffic=Traffic.PROMOTIONAL,
            **changes,
        )
        ids = [self.broadcast_id, *self.bench.ids.take(len(recipients))]
        return planned(asked, ids, now_us=self.bench.now_us)

    async def gather(self, *given: AudienceRow, at: Place = START, then: Place | None = None) -> bool:
        """Store rows of its audience."""
        item = Gathered(self.broadcast_id, at, then or Place(Stage.SIFTING), given)
        (done,) = await self.bench.store.write(gather, [item], [self.account_id])
        return done

    async def sift(self, recipients: int = 0) -> bool:
        """Its audience is whole."""
        item = Sifted(self.broadcast_id, Place(Stage.SIFTING), self.plan(), recipients)
        (done,) = await self.bench.store.write(sift, [item], [self.account_id])
        return done

    async def expand(
        self,
        *recipients: Recipient,
        at: int = 0,
        then: Place | None = None,
        pace: Pace | None = None,
        **changes: Any,
    ) -> bool:
        """Make messages of recipients; after them it is at its end, unless told otherwise."""
        plan = self.plan(*recipients, **changes) if recipients else None
        place = Place(Stage.EXPANDING, 0, at)
        item = Expanded(self.broadcast_id, place, then or Place(Stage.EXPANDED), plan, pace)
        (done,) = await self.bench.store.write(expand, [item], [self.account_id])
        return done

    async def expanded(self, *recipients: Recipient, **changes: Any) -> list[int]:
        """It has these recipients, and all of them are messages."""
        assert await self.gather()
        assert await self.sift(len(recipients))
        assert await self.expand(*recipients, **changes)
        return [each.message_id for each in await self.messages()]

    async def messages(self) -> list[Any]:
        """Its messages, the oldest first."""
        (page,) = await self.bench.pages(
            broadcast_ids=frozenset({self.broadcast_id}), states=frozenset(State)
        )
        return [await self.bench.message(each) for each in reversed(page)]


async def make(bench: Bench, state: BroadcastState = S.RUNNING, **changes: Any) -> Any:
    """Store a broadcast of account 1, which runs unless told otherwise."""
    request_id, fingerprint = changes.pop("request_id", ""), changes.pop("fingerprint", "x")
    (number,) = bench.ids.take(1)
    fields: dict[str, Any] = {
        "broadcast_id": number,
        "account_id": 1,
        "name": "spring",
        "state": state,
        "schedule_at_us": None,
        "messages_per_minute": 0,
        "upload_id": None,
        "created_at_us": bench.now_us,
        "started_at_us": bench.now_us if state is S.RUNNING else None,
    }
    broadcast = Broadcast(**(fields | changes))
    bare = submission(account_id=broadcast.account_id, recipients=(), request_id=request_id)
    plan = Plan(number, bare, bench.now_us, fingerprint, (), 0)
    item = NewBroadcast(broadcast, REQUEST, plan, DAY_US)
    (answer,) = await bench.store.write(make_broadcasts, [item], [broadcast.account_id])
    return answer


async def running(bench: Bench, **changes: Any) -> Kept:
    """A broadcast that runs."""
    return Kept(bench, await make(bench, **changes))
