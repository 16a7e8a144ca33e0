# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of lanes: which instance's work a claim takes, whose turn it is, and what finds another lane."""

from typing import Any

import pytest

from broker.domain.account_policy import AccountPolicy
from broker.domain.health import CircuitState, HealthRecord
from broker.domain.lifecycle import Fact, State
from broker.domain.throttle import Allowance
from broker.domain.vocabulary import Channel, Reason, Traffic
from broker.storage.agenda import Work
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.rerouting import BEGINNING, Reroute, read_stretch, reroute
from broker.storage.standing import read_health, record_health
from broker.testing.builders import NOW_US, PROVIDER, SECOND_US, phones, sms
from broker.testing.store_suite.bench import ACCOUNTS, Bench, room
from broker.testing.store_suite.opening import OpenedStore


def no_route(_channel: Channel, _pinned: str) -> str | None:
    """No provider serves anything."""
    return None


class LaneCases(OpenedStore):
    """Which instance's work a claim takes, and whose turn it is."""

    async def test_a_claim_takes_from_the_lanes_that_it_has_room_for(self, bench: Bench) -> None:
        """A message goes to its first candidate, as the plan has it; the others wait."""
        (first,) = await bench.send(candidates=("west", "acme"))
        (second,) = await bench.send()
        claimed = await bench.claim(rooms=(room("west"),), known=frozenset({"west", PROVIDER}))
        assert [(first, "west")] == [(each.message_id, each.provider) for each in claimed.attempts]
        assert {PROVIDER} == claimed.left
        assert [second] == [each.message_id for each in (await bench.claim()).attempts]

    async def test_accounts_take_turns(self, bench: Bench) -> None:
        """However much one of them has waiting, and whenever it came."""
        await bench.send(account_id=1, recipients=phones(20))
        await bench.send(account_id=2, recipients=phones(2))
        await bench.send(account_id=3, recipients=phones(1))
        claimed = await bench.claim(6)
        assert [1, 2, 3, 1, 2, 1] == [each.account_id for each in claimed.attempts]

    async def test_the_next_claim_goes_on_with_the_next_account(self, bench: Bench) -> None:
        """So that a room for one serves all of them in turn."""
        for account_id in (1, 2, 3):
            await bench.send(account_id=account_id, recipients=phones(4))
        turns: Any = {}
        served = []
        for _ in range(6):
            claimed = await bench.claim(1, turns=turns)
            turns = claimed.turns
            served += [each.account_id for each in claimed.attempts]
        assert [1, 2, 3, 1, 2, 3] == served

    async def test_a_weighty_account_takes_more_of_each_turn(self, bench: Bench) -> None:
        """As many times as its weight."""
        await bench.send(account_id=1, recipients=phones(9))
        await bench.send(account_id=2, recipients=phones(9))
        claimed = await bench.claim(8, weight_of=lambda account_id: 3 if account_id == 2 else 1)
        assert [1, 2, 2, 2, 1, 2, 2, 2] == [each.account_id for each in claimed.attempts]

    async def test_a_passcode_is_not_behind_a_backlog(self, bench: Bench) -> None:
        """Of its own account or another's: it is in the very next claim."""
        await bench.send(account_id=1, recipients=phones(30), traffic=Traffic.PROMOTIONAL)
        await bench.send(account_id=2, recipients=phones(30))
        await bench.claim(5)
        (own,) = await bench.send(account_id=1, traffic=Traffic.PASSCODE)
        (other,) = await bench.send(account_id=3, traffic=Traffic.PASSCODE)
        claimed = await bench.claim(5)
        assert [own, other] == [each.message_id for each in claimed.attempts[:2]]

    async def test_more_accounts_than_one_claim_looks_at_are_all_served(self, bench: Bench) -> None:
        """By the next claims, in turn."""
        for account_id in ACCOUNTS:
            await bench.send(account_id=account_id, recipients=phones(2))
        turns: Any = {}
        served: list[list[int]] = []
        while True:
            claimed = await bench.claim(2, turns=turns, accounts_max=2)
            if not claimed.attempts:
                break
            turns = claimed.turns
            served.append([each.account_id for each in claimed.attempts])
        assert [[1, 2], [3, 4], [1, 2], [3, 4]] == served

    async def test_segments_bound_a_claim(self, bench: Bench) -> None:
        """It stops with the message that uses up what may flow; messages of several segments count as many."""
        await bench.send(recipients=phones(6), content=sms("x" * 200))  # 2 segments each
        claimed = await bench.claim(rooms=(room(units_max=5.0),))
        assert (3, frozenset({PROVIDER})) == (len(claimed.attempts), claimed.left)

    async def test_a_sender_beyond_its_rate_waits_for_its_turn(self, bench: Bench) -> None:
        """Each message has a time of its own, and other senders go ahead."""
        (_, slow, slower) = await bench.send(sender="Busy", recipients=phones(3))
        (other,) = await bench.send(sender="Quiet")

        def allowances(_sender: str) -> Allowance:
            return Allowance(1.0, 2.0, 0)

        claimed = await bench.claim(rooms=(room(allowances=allowances),))
        assert 2 == len(claimed.attempts)
        assert other in {each.message_id for each in claimed.attempts}
        assert {(PROVIDER, "Busy"): 2} == claimed.put_off
        rows = [await bench.due(each) for each in (slow, slower)]
        expected = [(Work.WAITING, NOW_US + SECOND_US // 2), (Work.WAITING, NOW_US + SECOND_US)]
        assert expected == [(row.work, row.at_us) for row in rows if row is not None]

    async def test_what_waits_for_an_instance_that_is_gone_goes_to_its_next_candidate(
        self, bench: Bench
    ) -> None:
        """With an event that names it; the next claim hands it over."""
        (message_id,) = await bench.send(candidates=("gone", "acme"))
        first = await bench.claim(known=frozenset({PROVIDER}))
        assert ((), 1) == (first.attempts, first.looked_at)
        change = (await bench.timeline(message_id))[-1].change
        assert (Fact.REROUTED, State.ACCEPTED, "acme") == (change.fact, change.state, change.next_provider)
        assert [(message_id, "acme")] == [
            (each.message_id, each.provider) for each in (await bench.claim()).attempts
        ]

    async def test_what_has_no_candidate_left_is_routed_anew(self, bench: Bench) -> None:
        """By its channel and the instance that its submission names."""
        asked = []

        def route(channel: Channel, pinned: str) -> str | None:
            asked.append((channel, pinned))
            return PROVIDER

        (message_id,) = await bench.send(candidates=("gone", "lost"), provider="west")
        await bench.claim(known=frozenset({PROVIDER}), route=route)
        assert [(Channel.SMS, "west")] == asked
        row = await bench.due(message_id)
        assert row is not None
        assert (PROVIDER, (PROVIDER,)) == (row.provider, row.candidates)

    @pytest.mark.parametrize(
        ("sandboxes", "expected"), [(("toy",), ("toy", State.ACCEPTED)), ((), ("", State.SENDING_FAILED))]
    )
    async def test_what_a_sandboxed_account_sent_is_routed_to_a_sandbox_or_to_nobody(
        self, bench: Bench, sandboxes: tuple[str, ...], expected: tuple[str, State]
    ) -> None:
        """Whatever else there is; the messages of other accounts go where they can."""
        await bench.store.write(set_policies, [NewPolicy(2, AccountPolicy(sandbox_only=True))], [2])
        (other,) = await bench.send(candidates=("gone",), provider="gone")
        (sandboxed,) = await bench.send(candidates=("gone",), provider="gone", account_id=2)

        def to_sandbox(_channel: Channel, _pinned: str) -> str | None:
            return next(iter(sandboxes), None)

        known = frozenset({PROVIDER, *sandboxes})
        await bench.claim(rooms=(), known=known, sandbox_route=to_sandbox)
        row = await bench.due(other)
        assert row is not None
        assert PROVIDER == row.provider
        row = await bench.due(sandboxed)
        message = await bench.message(sandboxed, 2)
        assert expected == ("" if row is None else row.provider, message.state)

    async def test_a_message_of_before_there_were_candidates_is_routed(self, bench: Bench) -> None:
        """Its row names nobody."""
        (message_id,) = await bench.send(candidates=("",))
        await bench.claim()
        assert [Fact.ACCEPTED] == await bench.facts(message_id)
        assert [message_id] == [each.message_id for each in (await bench.claim()).attempts]

    async def test_a_message_without_a_route_ends(self, bench: Bench) -> None:
        """It fails for want of a provider, and no attempt is counted."""
        (message_id,) = await bench.send(candidates=("gone",))
        claimed = await bench.claim(route=no_route)
        assert () == claimed.attempts
        message = await bench.message(message_id)
        assert (State.SENDING_FAILED, Reason.NO_ROUTE, 0) == (message.state, message.reason, message.attempts)

    async def test_a_message_expires_without_room_for_it(self, bench: Bench) -> None:
        """Its provider takes nothing, and its validity passes all the same."""
        (message_id,) = await bench.send(validity_us=60 * SECOND_US)
        bench.wait(60)
        await bench.claim(rooms=(), known=frozenset({PROVIDER}))
        assert State.EXPIRED == await bench.state(message_id)


class ReroutingCases(OpenedStore):
    """What leaves the lane of an instance that takes nothing."""

    async def movable(self, bench: Bench, rows_max: int = 100, hops_max: int = 9) -> list[list[int]]:
        """What a walk along the lane of `acme` finds while that is shut, stretch by stretch."""
        found, after = [], BEGINNING
        while True:
            stretch = await bench.store.read(
                read_stretch, PROVIDER, frozenset({PROVIDER}), hops_max, after, rows_max
            )
            found.append([message_id for _, message_id in stretch.movable])
            if stretch.end is None:
                return found
            after = stretch.end

    async def move(self, bench: Bench, message_id: int, **changes: Any) -> bool:
        """Try to move one message from the lane of `acme`."""
        fields: dict[str, Any] = {
            "account_id": 1,
            "message_id": message_id,
            "provider": PROVIDER,
            "shut": frozenset({PROVIDER}),
            "hops_max": 9,
            "now_us": bench.now_us,
        }
        (moved,) = await bench.store.write(reroute, [Reroute(**(fields | changes))], [1])
        return moved

    async def test_a_walk_finds_what_can_go_elsewhere(self, bench: Bench) -> None:
        """Passcodes first; what has no other candidate stays, and what is scheduled is in no lane."""
        two = ("acme", "west")
        later = await bench.send(candidates=two, recipients=phones(2), account_id=2)
        first = await bench.send(candidates=two, traffic=Traffic.PASSCODE)
        await bench.send()
        await bench.send(candidates=two, schedule_at_us=NOW_US + 60 * SECOND_US)
        await bench.send(candidates=("west", "acme"))
        assert [[*first, *later]] == await self.movable(bench)
        stretches = await self.movable(bench, rows_max=2)
        assert [*first, *later] == [each for stretch in stretches for each in stretch]

    async def test_a_message_moves_to_its_next_candidate(self, bench: Bench) -> None:
        """The event names it, nothing was attempted, and its first candidate may still get it later."""
        (message_id,) = await bench.send(candidates=("acme", "west", "east"))
        assert await self.move(bench, message_id, shut=frozenset({"acme", "west"}))
        change = (await bench.timeline(message_id))[-1].change
        assert (Fact.REROUTED, State.ACCEPTED, Reason.PROVIDER_UNAVAILABLE, "east", 0) == (
            change.fact,
            change.state,
            change.reason,
            change.next_provider,
            change.attempt,
        )
        assert "acme takes no messages now" == change.detail
        row = await bench.due(message_id)
        assert row is not None
        assert ("east", Work.DISPATCH, 1) == (row.provider, row.work, row.hops)

    async def test_a_message_without_another_candidate_stays(self, bench: Bench) -> None:
        """Or with none that takes messages, or with no hops left."""
        (alone,) = await bench.send()
        (message_id,) = await bench.send(candidates=("acme", "west"))
        assert not await self.move(bench, alone)
        assert not await self.move(bench, message_id, shut=frozenset({"acme", "west"}))
        assert not await self.move(bench, message_id, hops_max=0)
        assert [[]] == await self.movable(bench, hops_max=0)
        assert [Fact.ACCEPTED] == await bench.facts(message_id)

    async def test_what_no_longer_waits_there_does_not_move(self, bench: Bench) -> None:
        """It was claimed, or moved, or ended since the walk saw it."""
        (message_id,) = await bench.send(candidates=("acme", "west"))
        (open_id,) = await bench.send(candidates=("acme", "west"), traffic=Traffic.PASSCODE)
        await bench.claim(1)
        assert not await self.move(bench, open_id)
        assert await self.move(bench, message_id)
        assert not await self.move(bench, message_id)
        assert not await self.move(bench, 5)


class HealthCases(OpenedStore):
    """What is kept of how providers are doing."""

    async def test_the_newest_record_of_each_instance_is_kept(self, bench: Bench) -> None:
        """Also of two in one call, and of instances that are written at different times."""
        first = HealthRecord(CircuitState.OPEN, 1, 2, 3, 4, 5)
        second = HealthRecord(CircuitState.CLOSED, 6, 0, 3, 8, 9)
        assert {} == await bench.store.read(read_health)
        await bench.store.write(record_health, [("acme", first), ("west", first)])
        await bench.store.write(record_health, [("acme", first), ("acme", second)])
        assert {"acme": second, "west": first} == await bench.store.read(read_health)


class LanesCases(LaneCases, ReroutingCases, HealthCases):
    """Lanes, what leaves them, and how those who serve them are doing."""
