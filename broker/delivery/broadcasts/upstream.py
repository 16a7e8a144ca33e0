"""Broadcasts that an upstream runs: handed over whole, moved there, and asked how far they are.

What is to be done is in the store: the intention before each call, and its outcome after it. A process that dies in
between leaves a broadcast in doubt; the next one asks the upstream, and never hands it over twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import structlog

from broker.delivery.broadcasts.expander import STORE_FAILS, GateClosedError, audiences_of
from broker.delivery.broadcasts.rounds import IDLE_S_MAX, STORE_RETRY_S, Rounds
from broker.delivery.provider_calls import guarded
from broker.delivery.registry import Instance, Registry
from broker.domain.audience import AudienceRow
from broker.domain.broadcast import Broadcast, Move, Wish, move
from broker.domain.decision import CODE_CHARACTERS_MAX
from broker.domain.frequency import FrequencyCap
from broker.domain.handing import contents_of, misfit, ordered, senders_of
from broker.domain.ids import format_id
from broker.domain.outcome import NotAccepted, Rejected, Unknown
from broker.domain.plan import Plan, PlannedMessage
from broker.domain.submission import Submission
from broker.domain.upstream_broadcast import (
    BroadcastMoved,
    BroadcastQuestion,
    Controlled,
    Found,
    HandOver,
    Phase,
    Turn,
    UpstreamBroadcast,
    after_call,
    after_question,
)
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Clock
from broker.storage.broadcast_rows import BroadcastRow
from broker.storage.broadcasts import NoSuchBroadcast, NotMovable, stop_failed
from broker.storage.expanding import read_rows
from broker.storage.hand_overs import read_hand_over
from broker.storage.handing import (
    Control,
    Intention,
    Noted,
    Undecided,
    intend_controls,
    intend_hand_overs,
    note_turns,
    read_upstream_broadcasts,
    waits_for_upstream,
)
from broker.storage.store import Store
from broker.telemetry import places_of

log = structlog.get_logger("waypost.broadcasts")

LOOK_EVERY_S = 0.2
"""While broadcasts go on upstream: how often it is seen whether something is due."""

DEFECT_REST_US = 30_000_000
NOTE_TRIES = 10
ROWS_BATCH = 1_000
CALLS_MAX = 16
"""Broadcasts that an upstream is told or asked about at once."""

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

PlanRows = Callable[[Submission, Sequence[AudienceRow]], Awaitable[Plan]]
ReadWish = Callable[[BroadcastRow], Awaitable[Wish]]


@dataclass(slots=True)
class Gathered:
    """The messages of a whole audience, where each is from, and what each says."""

    messages: list[PlannedMessage]
    rows: list[tuple[int, int]]
    contents: dict[int, Any]
    cap: FrequencyCap | None = None


class CannotBeHandedOver(Exception):
    """Why a broadcast cannot be run by its upstream."""


class UpstreamBroadcasts:
    """Runs until it is cancelled. `plan` decides about rows of an audience, `wish` reads what was asked for.

    `timeout_s` is how long a provider may take to answer; each broadcast is asked about every `poll_s` seconds, and
    one in doubt after `doubt_s`, twice as long, and so on.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        *,
        plan: PlanRows,
        wish: ReadWish,
        timeout_s: float,
        poll_s: float,
        doubt_s: float = 1.0,
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._plan = plan
        self._wish = wish
        self._timeout_s = timeout_s
        self._lease_us = round(2 * timeout_s * 1_000_000)
        self._poll_us = round(poll_s * 1_000_000)
        self._doubt_us = round(doubt_s * 1_000_000)
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._resting_until_us: dict[int, int] = {}
        self._rounds = Rounds()

    def hint(self) -> None:
        """A broadcast may have something to do."""
        self._rounds.hint()

    async def run(self) -> None:
        """Look after all broadcasts that upstreams run, until cancelled."""
        try:
            await self._rounds.run(self.round)
        finally:
            for task in self._busy.values():
                task.cancel()

    async def round(self) -> float:
        """Begin what is due; answers how long nothing more will be to do, in seconds."""
        found = await self._store.read(read_upstream_broadcasts)
        for gone in self._resting_until_us.keys() - {row.broadcast.broadcast_id for row, _ in found}:
            del self._resting_until_us[gone]
        for row, own in found:
            broadcast_id = row.broadcast.broadcast_id
            if broadcast_id in self._busy or len(self._busy) >= CALLS_MAX or not self._is_due(row, own):
                continue
            task = asyncio.create_task(self._guarded(broadcast_id, self._turn(row, own)))
            self._busy[broadcast_id] = task
            task.add_done_callback(partial(self._ended, broadcast_id))
        return LOOK_EVERY_S if found else IDLE_S_MAX

    def _ended(self, broadcast_id: int, _task: asyncio.Task[None]) -> None:
        del self._busy[broadcast_id]

    async def settled(self) -> None:
        """Return when nothing that was begun goes on any more."""
        while self._busy:
            await asyncio.wait(set(self._busy.values()))

    def _is_due(self, row: BroadcastRow, own: HandOver | None) -> bool:
        now_us = self._clock.now_us()
        if not waits_for_upstream(row) or self._resting_until_us.get(row.broadcast.broadcast_id, 0) > now_us:
            return False
        return own is None or own.at_us <= now_us

    async def _guarded(self, broadcast_id: int, turn: Coroutine[Any, Any, None]) -> None:
        """One broadcast's failure is no other's. What was not stored is done again at the next look."""
        try:
            await turn
        except BrokerError as error:
            log.error("broadcasts.store_failed", error=str(error), retry_s=LOOK_EVERY_S)
        except GateClosedError as closed:
            rest_us = round(closed.retry_after_s * 1_000_000)
            self._resting_until_us[broadcast_id] = self._clock.now_us() + rest_us
        except Exception as error:  # noqa: BLE001 - told with where it was, and tried again later
            self._resting_until_us[broadcast_id] = self._clock.now_us() + DEFECT_REST_US
            kind = type(error).__name__
            log.error("broadcasts.turn_failed", exception=kind, at=places_of(error))

    async def _turn(self, row: BroadcastRow, own: HandOver | None) -> None:
        if own is not None and own.phase is not Phase.WAITING:
            await self._ask(row.broadcast, own)
            return
        try:
            await self._hand_over(row, own)
        except CannotBeHandedOver as why:
            await self._stop(row.broadcast, str(why))
        except BrokerError as error:
            if error.reason in STORE_FAILS:
                raise
            await self._stop(row.broadcast, f"it could not begin: {error.message}")

    async def _stop(self, broadcast: Broadcast, why: str) -> None:
        log.warning("broadcasts.stopped", broadcast_id=broadcast.broadcast_id)
        item = (broadcast.broadcast_id, why, self._clock.now_us())
        await self._store.write(stop_failed, [item], [broadcast.account_id])

    def _instance(self, name: str) -> Instance | None:
        instance = self._registry.get(name)
        return instance if instance is not None and instance.capabilities.broadcast else None

    async def _hand_over(self, row: BroadcastRow, own: HandOver | None) -> None:
        broadcast = row.broadcast
        instance = self._instance(broadcast.upstream_provider)
        if instance is None:
            raise CannotBeHandedOver(
                f"no provider instance is named {broadcast.upstream_provider} and runs broadcasts itself"
            )
        wish = await self._wish(row)
        gathered = await self._gather(row, wish, instance.capabilities.broadcast_recipients_max)
        now_us = self._clock.now_us()
        intended = HandOver(
            broadcast.broadcast_id,
            broadcast.account_id,
            instance.name,
            Phase.CALLING,
            "",
            0,
            1 if own is None else own.attempts + 1,
            0,
            now_us,
            now_us + self._lease_us,
            version=0 if own is None else own.version,
        )
        messages = tuple(gathered.messages)
        plan = Plan(broadcast.broadcast_id, wish.submission, now_us, "", messages, 0, cap=gathered.cap)
        item = Intention(intended, row.place, plan, tuple(gathered.rows))
        (stored,) = await self._store.write(intend_hand_overs, [item], [broadcast.account_id])
        if stored is None or not stored[1]:
            return
        intended, wanted = stored
        order = ordered(broadcast, wish, plan, wanted, gathered.contents, now_us)
        answer = await self._call(
            instance,
            "broadcast_create",
            instance.provider.broadcast_create,
            order,
            (UpstreamBroadcast, Rejected, NotAccepted, Unknown),
        )
        turn = after_call(intended, broadcast, answer, self._clock.now_us(), self._doubt_us)
        await self._note(intended, turn)

    async def _gather(self, row: BroadcastRow, wish: Wish, recipients_max: int) -> Gathered:
        """What becomes of each of the audience, as far as it is known before the transaction."""
        found = Gathered([], [], {})
        for audience_id in audiences_of(row):
            after = 0
            while True:
                rows = await self._store.read(
                    read_rows, row.broadcast.broadcast_id, audience_id, after, ROWS_BATCH
                )
                if len(found.rows) + len(rows) > recipients_max:
                    raise CannotBeHandedOver(
                        f"its upstream takes at most {recipients_max:,} recipients, and it has more"
                    )
                if rows:
                    await self._decide(found, wish.submission, audience_id, rows)
                    after = rows[-1].number
                if len(rows) < ROWS_BATCH:
                    break
        if (count := len(senders_of(wish.submission, found.messages))) > 1:
            raise CannotBeHandedOver(f"its recipients would get it from {count} senders; name one")
        return found

    async def _decide(
        self, found: Gathered, submission: Submission, audience_id: int, rows: Sequence[AudienceRow]
    ) -> None:
        plan = await self._plan(submission, rows)
        if why := misfit(plan):
            raise CannotBeHandedOver(why)
        messages, contents = contents_of(submission, plan)
        found.messages += messages
        found.contents |= contents
        found.cap = plan.cap
        found.rows += [(audience_id, each.number) for each in rows]

    async def _ask(self, broadcast: Broadcast, own: HandOver) -> None:
        """How it stands upstream, or whether it is there at all."""
        answer: Found = Unknown("no_instance")
        if (instance := self._instance(own.provider)) is not None:
            question = BroadcastQuestion(own.upstream_id, format_id(own.broadcast_id), own.handed_over_at_us)
            answer = await self._call(
                instance,
                "broadcast_get",
                instance.provider.broadcast_get,
                question,
                (UpstreamBroadcast, NotAccepted, Unknown),
            )
        asked = replace(own, phase=Phase.DOUBTED) if own.phase is Phase.CALLING else own
        now_us = self._clock.now_us()
        turn = after_question(asked, broadcast, answer, now_us, self._poll_us, self._doubt_us)
        await self._note(own, turn)

    async def control(self, account_id: int, broadcast_id: int, wish: Move) -> Broadcast:
        """Tell the upstream to hold, resume, end or remove it; as it is then.

        Raises BrokerError BROADCAST_NOT_MOVABLE, UPSTREAM_REFUSED, or UPSTREAM_UNAVAILABLE, also where nobody can
        tell yet whether it was done.
        """
        now_us = self._clock.now_us()
        item = Control(account_id, broadcast_id, wish, now_us + self._lease_us, now_us)
        (intended,) = await self._store.write(intend_controls, [item], [account_id])
        if isinstance(intended, NoSuchBroadcast):
            raise BrokerError(ErrorReason.BROADCAST_NOT_FOUND)
        if isinstance(intended, Undecided):
            raise BrokerError(ErrorReason.UPSTREAM_UNAVAILABLE, UNDECIDED, retry_after_s=self._timeout_s)
        if isinstance(intended, NotMovable):
            state = intended.state.name
            raise BrokerError(
                ErrorReason.BROADCAST_NOT_MOVABLE,
                f"a broadcast that is {state} upstream does not allow that",
                metadata={"state": state},
            )
        own, broadcast = intended
        answer = await self._tell(own, wish)
        return await self._controlled(own, broadcast, wish, answer)

    async def _tell(self, own: HandOver, wish: Move) -> Controlled:
        instance = self._instance(own.provider)
        if instance is None:
            return NotAccepted(code="no_instance")
        provider = instance.provider
        call = {
            Move.SUSPEND: provider.broadcast_suspend,
            Move.RESUME: provider.broadcast_resume,
            Move.STOP: provider.broadcast_stop,
            Move.DELETE: provider.broadcast_delete,
        }[wish]
        kinds = (BroadcastMoved, Rejected, NotAccepted, Unknown)
        return await self._call(instance, f"broadcast_{wish.name.lower()}", call, own.upstream_id, kinds)

    async def _controlled(
        self, own: HandOver, broadcast: Broadcast, wish: Move, answer: Controlled
    ) -> Broadcast:
        """Store what the upstream answered to a wish; raises what the caller is to know of it."""
        now_us = self._clock.now_us()
        free = replace(own, wish=None, at_us=now_us)
        if isinstance(answer, BroadcastMoved):
            state = move(broadcast.state, wish, begun=True) or broadcast.state
            noted = await self._note(own, Turn(free, state))
            self.hint()
            return noted or replace(broadcast, state=state)
        if isinstance(answer, Unknown):  # what it says when it is asked will tell
            await self._note(own, Turn(replace(own, at_us=now_us), broadcast.state))
            raise BrokerError(ErrorReason.UPSTREAM_UNAVAILABLE, IN_DOUBT)
        await self._note(own, Turn(free, broadcast.state))
        refused = isinstance(answer, Rejected)
        reason = ErrorReason.UPSTREAM_REFUSED if refused else ErrorReason.UPSTREAM_UNAVAILABLE
        code = answer.code[:CODE_CHARACTERS_MAX]
        raise BrokerError(reason, metadata={"code": code} if code else {})

    async def upstream_id(self, broadcast: Broadcast) -> str:
        """Under which id its upstream has it; empty where it has none."""
        if not broadcast.upstream_provider:
            return ""
        own = await self._store.read(read_hand_over, broadcast.broadcast_id)
        return "" if own is None else own.upstream_id

    def check(self, name: str) -> None:
        """Raise BrokerError where no instance of this name runs broadcasts."""
        if self._instance(name) is None:
            rule = "no provider instance of this name runs broadcasts itself"
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[Violation("upstream_provider", rule)])

    async def _note(self, before: HandOver, turn: Turn) -> Broadcast | None:
        """Store what an answer led to. An answer is not to be had again: a store that fails is tried for a while."""
        item = Noted(before, turn, self._clock.now_us())
        for _ in range(NOTE_TRIES - 1):
            try:
                (noted,) = await self._store.write(note_turns, [item], [before.account_id])
            except BrokerError as error:
                log.error("broadcasts.store_failed", error=str(error), retry_s=STORE_RETRY_S)
                await self._clock.sleep(STORE_RETRY_S)
            else:
                return noted
        (noted,) = await self._store.write(note_turns, [item], [before.account_id])
        return noted

    async def _call(
        self,
        instance: Instance,
        method: str,
        call: Callable[[Asked], Awaitable[Answer]],
        argument: Asked,
        kinds: tuple[type, ...],
    ) -> Answer | Unknown:
        """The answer to one call, or Unknown where it raised, hung or answered what makes no sense."""

        async def alone(arguments: Sequence[Asked]) -> Sequence[Answer]:
            return [await call(arguments[0])]

        (answer,) = await guarded(
            alone, [argument], instance=instance.name, method=method, timeout_s=self._timeout_s, kinds=kinds
        )
        return answer


UNDECIDED = "its upstream is being told something about the broadcast; try again"
IN_DOUBT = (
    "nobody can tell yet whether it was done; the broadcast's state will, when its upstream has been asked"
)
