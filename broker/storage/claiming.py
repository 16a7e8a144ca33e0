"""The verb that finds work: what is due, in whose turn, and an attempt on record for each before it is handed over.

Rows whose time has come wait in *lanes*, one for each instance and priority. A claim takes from the lanes
that it was given room for: passcodes before the rest and marketing last, and within a priority the
accounts in turns, so that no account's backlog stands before another's message.
"""

from collections.abc import Callable, Mapping
from math import inf

from broker.domain.decision import Note
from broker.domain.fairness import Weights, equal_weights, fair_portion, in_turns
from broker.domain.lifecycle import Fact
from broker.domain.prices import PriceList
from broker.domain.retry import next_candidate
from broker.domain.throttle import Allowances, SenderTurns
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Reason, Traffic
from broker.storage.agenda import Agenda, DueRow, Work, due_row
from broker.storage.consenting import Asked, hold_senders, opted_out, read_refusals
from broker.storage.dispatching import OpenAttempt, Parcel, load_outbound
from broker.storage.holding import Hold, end_unsent, read_holds
from broker.storage.journal import Journal
from broker.storage.policies import read_policies
from broker.storage.transaction import Transaction
from broker.storage.ways import Ways

PROMOTED_MAX = 1_000
"""Rows whose time has come are put into their lanes in batches of this size."""

EXPIRED_MAX = 500
STRAYS_MAX = 500
ACCOUNTS_MAX = 64
"""Accounts that share one claim of a lane; the others have the next turns."""

SUSPECT_WAIT_US = 100_000
GRAVE_CRASHES = 2
"""A message that was there in so many crashes is handed over while no other such message is."""

Route = Callable[[Channel, str], str | None]
"""The provider instance for a channel and a pinned instance or "", None when there is none."""

Turns = Mapping[tuple[str, int], int]
"""The account that was served last in a lane, by instance and priority; none where all were served."""


@value
class Room:
    """How much an instance takes now.

    At most `messages_max` messages, of which at most `suspects_max` need a call of their own, and as long as
    their segments are fewer than `units_max`. `allowances` are what its senders may pass; None: no limit.
    """

    provider: str
    messages_max: int
    suspects_max: int
    units_max: float = inf
    allowances: Allowances | None = None


@value
class Claim:
    """A wish for work within `rooms`, leased to the process `fence` until `lease_until_us`.

    `known` are the instances that exist; what waits for another one goes to its next candidate, or is routed
    anew by `route`, that of sandboxed accounts by `sandbox_route`, and priced anew by `prices`. `shut` are those
    that take nothing now. `grave_open`: a message that was there in several crashes is with a provider. At most
    `accounts_max` accounts share what is taken of a lane.
    """

    now_us: int
    fence: int
    lease_until_us: int
    rooms: tuple[Room, ...]
    known: frozenset[str]
    shut: frozenset[str]
    route: Route
    sandbox_route: Route
    prices: PriceList
    turns: Turns
    grave_open: bool = False
    weight_of: Weights = equal_weights
    accounts_max: int = ACCOUNTS_MAX


@value
class Claimed:
    """What a claim got, and what it left.

    `looked_at` counts what was taken, put off or ended. `next_at_us` is when something will be due or expire
    by itself; it has passed where one batch could not hold all. `left` are the instances with more in their lanes than
    their room. `turns` are those of the next claim. `put_off` are the segments of senders beyond their rates.
    """

    attempts: tuple[OpenAttempt, ...]
    looked_at: int
    next_at_us: int | None
    left: frozenset[str]
    turns: Turns
    put_off: Mapping[tuple[str, str], int]


def claim(tx: Transaction, items: list[Claim]) -> list[Claimed]:
    """Take what is due, most urgent traffic first, and record an attempt for each."""
    return [_Claiming(tx, item).run() for item in items]


def next_due_at(tx: Transaction) -> int | None:
    """When something is due or expires by itself, None when nothing waits for its time."""
    found = [tx.one(name) for name in ("next_waiting", "next_expiry")]
    return min((row[0] for row in found if row and row[0] is not None), default=None)


class _Claiming:
    """One claim."""

    def __init__(self, tx: Transaction, wish: Claim) -> None:
        self._tx = tx
        self._wish = wish
        self._journal = Journal(tx, wish.now_us)
        self._agenda = Agenda(tx)
        self._ways = Ways(tx, self._journal, self._agenda, wish.now_us)
        self._attempts: list[OpenAttempt] = []
        self._left: set[str] = set()
        self._turns = dict(wish.turns)
        self._put_off: dict[tuple[str, str], int] = {}
        self._grave_open = wish.grave_open
        self._looked_at = 0

    def run(self) -> Claimed:
        """All of it, in one transaction."""
        next_at_us = next_due_at(self._tx)
        if next_at_us is not None and next_at_us <= self._wish.now_us:
            self._tx.all("promote_waiting", now=self._wish.now_us, rows_max=PROMOTED_MAX)
            self._end_expired()
            next_at_us = next_due_at(self._tx)
        lanes: dict[str, list[int]] = {}
        for provider, priority in self._tx.all("lanes_due"):
            lanes.setdefault(provider, []).append(priority)
        for stray in sorted(lanes.keys() - self._wish.known):
            self._reroute(stray)
        rows, rooms = [], []
        for room in self._wish.rooms:
            for row in self._take(room, sorted(lanes.get(room.provider, ()))):
                rows.append(row)
                rooms.append(room)
        self._left |= lanes.keys() - {room.provider for room in self._wish.rooms}
        if rows:
            self._open(rows, rooms)
        self._journal.flush()
        self._agenda.flush()
        self._ways.flush()
        return Claimed(
            tuple(self._attempts),
            self._looked_at,
            next_at_us,
            frozenset(self._left),
            self._turns,
            self._put_off,
        )

    def _end_expired(self) -> None:
        """What expired while it waited for its provider is never handed over."""
        found = self._tx.all("due_expired", now=self._wish.now_us, rows_max=EXPIRED_MAX)
        rows = self._load(found)
        for row in rows:
            self._end_unsent(row, Fact.LAPSED, Reason.VALIDITY_PASSED)
        if rows:
            self._agenda.flush()

    def _reroute(self, gone: str) -> None:
        """Find another instance for what waits for one that no longer exists, or never was named."""
        rows = self._load(self._tx.all("stray_rows", provider=gone, rows_max=STRAYS_MAX))
        parcels = load_outbound(self._tx, rows)
        missing = {name for row in rows for name in row.candidates} - self._wish.known
        sandboxed = self._sandboxed(rows)
        for row in rows:
            target = next_candidate(row.candidates, gone, missing | self._wish.shut, wrap=True)
            target = target or next_candidate(row.candidates, gone, missing, wrap=True)
            if target is None:
                parcel = parcels[row.message_id]
                route = self._wish.sandbox_route if row.account_id in sandboxed else self._wish.route
                target = route(parcel.channel, parcel.provider_pin)
                if target is None:
                    self._end_unsent(row, Fact.EXHAUSTED, Reason.NO_ROUTE)
                    continue
                row.candidates = (target,)
                self._price(parcel, row.message_id, target)
            if gone:
                detail = f"{gone} is not in the settings"
                note = Note(Reason.PROVIDER_UNAVAILABLE, detail, next_provider=target)
                self._journal.happen(row.message_id, Fact.REROUTED, note)
            row.provider = target
            self._agenda.put(row)
        self._left.add(gone)

    def _sandboxed(self, rows: list[DueRow]) -> set[int]:
        """The accounts whose messages may reach nobody."""
        policies = read_policies(self._tx, {row.account_id for row in rows}) if rows else {}
        return {account_id for account_id, policy in policies.items() if policy.sandbox_only}

    def _price(self, parcel: Parcel, message_id: int, target: str) -> None:
        """It was priced for its candidates, and an instance that was none of them carries it."""
        prices = self._wish.prices.of(parcel.priced_as)
        unit_micros = prices.unit_micros(target, parcel.channel, parcel.recipient) or 0
        self._journal.price(message_id, target, parcel.channel, parcel.units * unit_micros)

    def _take(self, room: Room, priorities: list[int]) -> list[DueRow]:
        """What a lane gives within its room, in the order of turns."""
        taken: list[DueRow] = []
        units, suspects = 0, 0
        for priority in priorities:
            wanted = room.messages_max - len(taken)
            queues = (
                self._queues(room.provider, priority, wanted) if wanted and units < room.units_max else {}
            )
            if not queues:
                self._left.add(room.provider)
                break
            last, cut = None, False
            for account_id, row in in_turns(queues, self._wish.weight_of):
                if len(taken) == room.messages_max or units >= room.units_max:
                    cut = True
                    break
                if row.crashes and suspects == room.suspects_max:
                    cut = True
                    continue
                suspects += row.crashes > 0
                units += row.units
                last = account_id
                taken.append(row)
            if cut or len(taken) == room.messages_max or len(queues) == self._wish.accounts_max:
                self._left.add(room.provider)
                if last is not None:
                    self._turns[room.provider, priority] = last
            else:
                self._turns.pop((room.provider, priority), None)
        return taken

    def _queues(self, provider: str, priority: int, wanted: int) -> dict[int, list[DueRow]]:
        """By account, in the order of their turns, enough rows to fill the room where there are enough."""
        lane = {"provider": provider, "priority": priority}
        after = self._turns.get((provider, priority), -1)
        most = self._wish.accounts_max
        accounts = self._accounts(lane, after, most)
        if after >= 0 and len(accounts) < most:
            first = self._accounts(lane, -1, most - len(accounts))
            accounts += [account_id for account_id in first if account_id <= after]
        queues: dict[int, list[DueRow]] = {account_id: [] for account_id in accounts}
        found, skip, hungry = 0, 0, accounts
        while hungry and found < wanted:
            portion = fair_portion(hungry, wanted - found, self._wish.weight_of)
            rows = self._tx.all("lane_rows", **lane, accounts=hungry, rows_max=portion, rows_skip=skip)
            for row in map(due_row, rows):
                queues[row.account_id].append(row)
            found += len(rows)
            skip += portion
            hungry = [account_id for account_id in hungry if len(queues[account_id]) == skip]
        for queue in queues.values():
            queue.sort(key=_when)
        return queues

    def _accounts(self, lane: Mapping[str, object], after: int, accounts_max: int) -> list[int]:
        rows = self._tx.all("lane_accounts", **lane, after=after, accounts_max=accounts_max)
        return [row[0] for row in rows]

    def _open(self, rows: list[DueRow], rooms: list[Room]) -> None:
        """Record an attempt for each, but for those whose sender is beyond its rate."""
        wish = self._wish
        self._adopt(rows)
        outbound = load_outbound(self._tx, rows)
        turns = {
            room.provider: SenderTurns(room.allowances, wish.now_us)
            for room in wish.rooms
            if room.allowances is not None
        }
        refusals = self._refusals(rows, outbound)
        holds = read_holds(self._tx, (parcel.broadcast_id for parcel in outbound.values()))
        for row, room in zip(rows, rooms, strict=True):
            if row.message_id in refusals:
                self._end_unsent(row, Fact.REFUSED, refusals[row.message_id])
                continue
            if row.expire_at_us <= wish.now_us:
                self._end_unsent(row, Fact.LAPSED, Reason.VALIDITY_PASSED)
                continue
            parcel = outbound[row.message_id]
            if holds and (hold := holds.get(parcel.broadcast_id or 0)) is not None:
                self._hold(row, hold)
                continue
            at_us = self._turn_at(row, parcel, turns.get(room.provider))
            if at_us > wish.now_us:
                row.plan_dispatch(min(at_us, row.expire_at_us), wish.now_us)
                self._agenda.put(row)
            else:
                self._attempts.append(self._attempt(row, parcel))
        self._put_off = {
            (provider, sender): units
            for provider, each in turns.items()
            for sender, units in each.put_off.items()
        }

    def _refusals(self, rows: list[DueRow], parcels: Mapping[int, Parcel]) -> Mapping[int, Reason]:
        """The messages whose recipients have said STOP since they were accepted, by id, and why they end."""
        hold_senders(self._tx, {parcel.sender for parcel in parcels.values()})
        stopped = opted_out(self._tx, [parcel.recipient for parcel in parcels.values()])
        if not stopped:
            return {}
        asked = []
        for row in rows:
            parcel = parcels[row.message_id]
            if parcel.recipient in stopped and not parcel.answers_consent:
                passcode = parcel.traffic is Traffic.PASSCODE
                asked.append(Asked(row.account_id, parcel.sender, parcel.recipient, row.message_id, passcode))
        return read_refusals(self._tx, asked)

    def _hold(self, row: DueRow, hold: Hold) -> None:
        """It is not handed over: it waits until it is released or expires, or ends."""
        if hold is Hold.END:
            end_unsent(self._journal, self._agenda, row, Fact.CANCELLED, Reason.BROADCAST_STOPPED)
        else:
            row.plan_dispatch(row.expire_at_us, self._wish.now_us)
            self._agenda.put(row)

    def _turn_at(self, row: DueRow, parcel: Parcel, senders: SenderTurns | None) -> int:
        """When it may be handed over."""
        now_us = self._wish.now_us
        if row.crashes >= GRAVE_CRASHES:
            if self._grave_open:
                return now_us + SUSPECT_WAIT_US
            self._grave_open = True
        return now_us if senders is None else senders.turn_at(parcel.sender, row.units)

    def _attempt(self, row: DueRow, parcel: Parcel) -> OpenAttempt:
        wish = self._wish
        row.work = Work.SUBMITTED
        row.at_us = wish.lease_until_us
        row.attempt = self._journal.attempt(row.message_id, row.provider)
        row.fence = wish.fence
        row.submitted_at_us = wish.now_us
        row.asked = 0
        self._agenda.put(row)
        return OpenAttempt(
            provider=row.provider,
            fence=wish.fence,
            guarantee=parcel.guarantee,
            account_id=row.account_id,
            message_id=row.message_id,
            message=parcel.outbound(row),
            crashes=row.crashes,
            repeated=row.rounds > 0,
        )

    def _end_unsent(self, row: DueRow, fact: Fact, reason: Reason) -> None:
        """It will not be sent this way, as `fact` says; UNKNOWN where an earlier attempt may have reached a provider."""
        if row.doubtful:
            fact, reason = Fact.LOST, Reason.AMBIGUOUS
        if self._ways.go_on(row, fact, Note(reason)):
            return
        self._journal.happen(row.message_id, fact, Note(reason))
        self._agenda.done(row.message_id)

    def _load(self, found: list[tuple[object, ...]]) -> list[DueRow]:
        rows = [due_row(row) for row in found]
        self._adopt(rows)
        return rows

    def _adopt(self, rows: list[DueRow]) -> None:
        self._looked_at += len(rows)
        self._tx.lock_accounts(row.account_id for row in rows)
        self._journal.load(row.message_id for row in rows)
        for row in rows:
            self._agenda.adopt(row)


def _when(row: DueRow) -> tuple[int, int]:
    return row.at_us, row.message_id
