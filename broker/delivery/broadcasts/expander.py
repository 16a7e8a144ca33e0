"""The expander: gathers the audiences of broadcasts that run, and makes messages of their rows, a batch at a time.

All that it knows is in the store: where each broadcast is, and how far. A process that dies leaves a batch either
stored with the place after it, or not at all, and the next one goes on from there.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from broker.delivery.broadcasts.gatherer import Gatherer
from broker.delivery.broadcasts.rounds import IDLE_S_MAX, STORE_RETRY_S, Rounds
from broker.delivery.identities import Identities
from broker.delivery.intake import Intake, Part
from broker.delivery.policies import Policies
from broker.domain.audience import AudienceRow, names_contacts, reached_of, recipient_of
from broker.domain.broadcast import BroadcastState, Pace, Place, Stage, Wish, duplicate_kinds
from broker.domain.broadcast_refusal import reason_of, refused
from broker.domain.linking import NewLink
from broker.domain.plan import Plan, PlannedMessage
from broker.domain.reaching import Reached
from broker.domain.submission import Submission
from broker.domain.vocabulary import Reason
from broker.errors import BrokerError, ErrorReason
from broker.spi import Clock
from broker.storage.broadcast_rows import BroadcastRow, read_active, read_request
from broker.storage.broadcasts import Tending, needs_tending, stop_failed, tend
from broker.storage.expanding import (
    Duplicates,
    Expanded,
    Sifted,
    expand,
    mark_duplicates,
    read_ahead,
    read_audience_size,
    read_duplicates,
    read_rows,
    sift,
)
from broker.storage.handing import waits_for_upstream
from broker.storage.store import Store

log = structlog.get_logger("waypost.broadcasts")

TELL_EVERY_US = 500_000
"""A broadcast tells how far it is this often at most."""

LOOK_EVERY_S = 0.1
"""While messages go out: how often it is seen whether more may follow."""

DUPLICATES_BATCH = 5_000
STORE_FAILS = frozenset({ErrorReason.STORE_UNAVAILABLE, ErrorReason.QUEUE_FULL, ErrorReason.DRAINING})

Decode = Callable[[bytes, int], Wish]
"""A stored request and its account → what is wished."""


class Expander:
    """Runs until it is cancelled. At most `ahead_max` messages of a broadcast wait for providers at once."""

    def __init__(
        self,
        store: Store,
        identities: Identities,
        intake: Intake,
        policies: Policies,
        clock: Clock,
        *,
        decode: Decode,
        batch_max: int,
        ahead_max: int,
    ) -> None:
        self._store = store
        self._identities = identities
        self._intake = intake
        self._clock = clock
        self._decode = decode
        self._batch_max = batch_max
        self._ahead_max = ahead_max
        self._gatherer = Gatherer(store, policies)
        self._wishes: dict[int, Wish] = {}
        self._told_at_us: dict[int, int] = {}
        self._not_before_us: dict[int, int] = {}
        self._rounds = Rounds()

    def hint(self) -> None:
        """A broadcast may have something to do."""
        self._rounds.hint()

    async def run(self) -> None:
        """Look after all broadcasts, until cancelled."""
        await self._rounds.run(self.round)

    async def round(self) -> float:
        """One batch of each broadcast, in turns; answers how long nothing more will be to do, in seconds."""
        rows = await self._store.read(read_active)
        active = {row.broadcast.broadcast_id for row in rows}
        for known in (self._wishes, self._told_at_us, self._not_before_us):
            for gone in known.keys() - active:
                del known[gone]
        idle_s = IDLE_S_MAX
        for row in rows:
            idle_s = min(idle_s, await self._turn(row))
        return idle_s

    async def _turn(self, row: BroadcastRow) -> float:
        if waits_for_upstream(row):
            return IDLE_S_MAX
        broadcast, now_us = row.broadcast, self._clock.now_us()
        broadcast_id = broadcast.broadcast_id
        tells = now_us - self._told_at_us.get(broadcast_id, 0) >= TELL_EVERY_US
        if needs_tending(row, now_us, tells=tells):
            if tells:
                self._told_at_us[broadcast_id] = now_us
            item = Tending(broadcast_id, broadcast.account_id, now_us, self._batch_max, tells)
            (again,) = await self._store.write(tend, [item], [broadcast.account_id])
            if again or row.released_to is not None:
                return 0.0
        match broadcast.state:
            case BroadcastState.RUNNING if row.released_to is None and row.place.stage < Stage.EXPANDED:
                return await self._work(row)
            case BroadcastState.RUNNING:
                return LOOK_EVERY_S
            case BroadcastState.SCHEDULED:
                at_us = broadcast.schedule_at_us or 0
                return max(0.0, (at_us - self._clock.now_us()) / 1_000_000)
            case _:
                return TELL_EVERY_US / 1_000_000

    async def _work(self, row: BroadcastRow) -> float:
        """A batch of what the broadcast's stage asks for; how long to wait for the next."""
        broadcast = row.broadcast
        try:
            wish = await self.wish(row)
        except BrokerError as error:
            if error.reason in STORE_FAILS:
                raise
            log.warning("broadcasts.stopped", broadcast_id=broadcast.broadcast_id, error=error.reason.name)
            item = (broadcast.broadcast_id, f"it could not begin: {error.message}", self._clock.now_us())
            await self._store.write(stop_failed, [item], [broadcast.account_id])
            return 0.0
        match row.place.stage:
            case Stage.GATHERING:
                await self._gatherer.gather(row, wish)
                return 0.0
            case Stage.SIFTING:
                await self._sift(row, wish)
                return 0.0
            case _:
                return await self._expand(row, wish)

    async def wish(self, row: BroadcastRow) -> Wish:
        """What was asked for, in its own words: those that its template has when it begins."""
        broadcast = row.broadcast
        known = self._wishes.get(broadcast.broadcast_id)
        if known is None:
            request = await self._store.read(read_request, broadcast.broadcast_id)
            wish = self._decode(request or b"", broadcast.account_id)
            worded = await self._intake.worded(wish.submission)
            asked = replace(worded, schedule_at_us=None, broadcast_id=broadcast.broadcast_id)
            known = self._wishes[broadcast.broadcast_id] = replace(wish, submission=asked)
        return known

    async def _sift(self, row: BroadcastRow, wish: Wish) -> None:
        broadcast_id, account_id = row.broadcast.broadcast_id, row.broadcast.account_id
        audiences = audiences_of(row)
        kinds = duplicate_kinds(wish.submission)
        found = await self._store.read(read_duplicates, audiences, kinds)
        for start in range(0, len(found), DUPLICATES_BATCH):
            batch = tuple(found[start : start + DUPLICATES_BATCH])
            await self._store.write(mark_duplicates, [Duplicates(broadcast_id, batch)], [account_id])
        recipients = sum([await self._store.read(read_audience_size, each) for each in audiences])
        plan = Plan(broadcast_id, wish.submission, self._clock.now_us(), "", (), 0)
        await self._store.write(sift, [Sifted(broadcast_id, row.place, plan, recipients)], [account_id])

    async def _expand(self, row: BroadcastRow, wish: Wish) -> float:
        broadcast, place, now_us = row.broadcast, row.place, self._clock.now_us()
        if (rest_us := self._not_before_us.get(broadcast.broadcast_id, 0) - now_us) > 0:
            return rest_us / 1_000_000
        waiting = await self._store.read(read_ahead, broadcast.broadcast_id, self._ahead_max)
        room = min(self._batch_max, self._ahead_max - waiting)
        pace = row.pace
        if pace is not None:
            pace = pace.caught_up(now_us)
            room = min(room, pace.room(now_us))
            if room <= 0:
                return max(LOOK_EVERY_S, (pace.next_at_us() - now_us) / 1_000_000)
        if room <= 0:
            return LOOK_EVERY_S
        audiences = audiences_of(row)
        rows = await self._store.read(
            read_rows, broadcast.broadcast_id, audiences[place.source], place.position, room
        )
        if len(rows) == room:
            then = Place(Stage.EXPANDING, place.source, rows[-1].number)
        elif place.source + 1 < len(audiences):
            then = Place(Stage.EXPANDING, place.source + 1, 0)
        else:
            then = Place(Stage.EXPANDED)
        try:
            plan = await self.plan(wish.submission, rows) if rows else None
        except GateClosedError as closed:
            # A plugin's defect is no reason to refuse anybody for good: all stays as it is, for a while.
            self._not_before_us[broadcast.broadcast_id] = now_us + round(closed.retry_after_s * 1_000_000)
            return closed.retry_after_s
        item = Expanded(broadcast.broadcast_id, place, then, plan, _paced(pace, plan))
        await self._store.write(expand, [item], [broadcast.account_id])
        return 0.0

    async def plan(self, submission: Submission, rows: Sequence[AudienceRow]) -> Plan:
        """What becomes of each of these rows; nothing is stored."""
        # Before the ids: ListMessages relies on no id being older than its message's acceptance.
        now_us = self._clock.now_us()
        ids = await self._identities.take(len(rows))
        recipients = tuple([recipient_of(row) for row in rows])
        asked = replace(submission, recipients=recipients)
        people: tuple[Reached, ...] | None = None
        if any(map(names_contacts, rows)):
            people = tuple(
                reached_of(at, row, recipient, asked.account_id)
                for at, (row, recipient) in enumerate(zip(rows, recipients, strict=True))
            )
        broadcast_id = asked.broadcast_id or 0
        (planned,) = await self._intake.planned([(asked, [broadcast_id, *ids], people)], now_us)
        if isinstance(planned, Plan) and (len(rows) == 1 or not _is_refused_by_plugin(planned)):
            return planned
        return await self._plan_each(asked, people, ids, now_us)

    async def _plan_each(
        self, asked: Submission, people: Sequence[Reached] | None, ids: Sequence[int], now_us: int
    ) -> Plan:
        """The same for each recipient alone: what would refuse a call of Send is each one's own refusal.

        Raises GateClosedError where a plugin cannot say whether somebody may be sent to.
        """
        broadcast_id = asked.broadcast_id or 0
        parts: list[Part] = [
            (
                replace(asked, recipients=asked.recipients[at : at + 1]),
                [broadcast_id, message_id],
                None if people is None else (replace(people[at], recipient_index=0),),
            )
            for at, message_id in enumerate(ids)
        ]
        messages: list[PlannedMessage] = []
        links: list[NewLink] = []
        pays, cap = False, None
        for (one, (_, message_id), reached), alone in zip(
            parts, await self._intake.planned(parts, now_us), strict=True
        ):
            if isinstance(alone, Plan):
                messages += alone.messages
                links += alone.links
                pays, cap = pays or alone.pays, alone.cap
            elif alone.reason is ErrorReason.ADMISSION_FAILED:
                raise GateClosedError(alone.retry_after_s or STORE_RETRY_S)
            else:
                contact_id = reached[0].contact_id if isinstance(reached, tuple) else None
                reason = reason_of(alone.reason.name)
                messages.append(refused(one, message_id, reason, _rule(alone), now_us, contact_id))
        return Plan(broadcast_id, asked, now_us, "", tuple(messages), 0, pays, tuple(links), cap)


class GateClosedError(Exception):
    """A plugin that has to be asked cannot answer."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


def _is_refused_by_plugin(plan: Plan) -> bool:
    """Whether a plugin refused recipients, some of whom it might let pass when it is asked about each."""
    return any(each.result.reason is Reason.REFUSED_BY_PLUGIN for each in plan.messages)


def _rule(error: BrokerError) -> str:
    """What broke, without naming a request's fields: the recipient is the message's own."""
    return "; ".join(each.rule for each in error.violations) or error.message


def audiences_of(row: BroadcastRow) -> list[int]:
    """Whose rows become its messages: those that it gathered, and those of its upload."""
    upload_id = row.broadcast.upload_id
    return [row.broadcast.broadcast_id, *([] if upload_id is None else [upload_id])]


def _paced(pace: Pace | None, plan: Plan | None) -> Pace | None:
    """The pace after a batch: refused recipients and those with a later time of their own do not count."""
    if pace is None or plan is None:
        return pace
    now_us = plan.accepted_at_us
    begun = sum(not each.step.end and each.result.transmit_at_us <= now_us for each in plan.messages)
    return replace(pace, done=pace.done + begun)
