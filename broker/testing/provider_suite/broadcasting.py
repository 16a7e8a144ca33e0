"""Cases of broadcasts that an upstream runs itself: handed over once, moved, asked about."""

from typing import Any

import pytest

from broker.spi import (
    BroadcastMoved,
    BroadcastOrder,
    BroadcastQuestion,
    BroadcastRecipient,
    BroadcastState,
    NotAccepted,
    Rejected,
    Traffic,
    Unknown,
    UpstreamBroadcast,
)
from broker.testing.clock import NOW_US, SECOND_US
from broker.testing.provider_suite.asked import Asked, expected
from broker.testing.provider_suite.case import case, waits
from broker.testing.provider_suite.declaring import secrets_of
from broker.testing.running import RunningProvider
from broker.testing.upstream import Answer, CloseAfterBody, Echo, Fault, Hang, NotHttp, ResetMidBody, Say

CONTROLS = ("suspend", "resume", "stop", "delete")
RECIPIENTS = 3
DAY_US = 86_400 * SECOND_US
FAULTS = [
    Say(Answer(500)),
    Say(Answer.of_text("<html>log in</html>", 200, "text/html")),
    Say(Answer(200, b"")),
    Say(Answer(302, b"", {"location": "http://127.0.0.1:9/"})),
    NotHttp(),
    CloseAfterBody(),
    ResetMidBody(),
    Echo(400),
]
FAULT_IDS = ["500", "page", "empty", "redirect", "no http", "closed", "reset", "echo"]


class BroadcastingCases(Asked):
    """For a provider that declares `broadcast`."""

    def broadcast_order(self, **changes: Any) -> BroadcastOrder:
        """A broadcast that the upstream takes, with the named fields changed."""
        channel = self.channel
        fields: dict[str, Any] = {
            "broadcast_id": "6GZWJGS7W0000",
            "idempotency_key": "6GZWJGS7W0000",
            "name": "Spring",
            "channel": channel,
            "sender": self.sender(channel),
            "traffic": Traffic.PROMOTIONAL,
            "recipients": tuple(
                BroadcastRecipient(self.recipient(number, channel), self.content(f"Text {number}", channel))
                for number in range(RECIPIENTS)
            ),
            "schedule_at_us": None,
        }
        return BroadcastOrder(**(fields | changes))

    def refused_order(self) -> BroadcastOrder | None:
        """A broadcast that no attempt could hand over. None: skip."""
        return None

    def _runs_broadcasts(self) -> None:
        if not self.built().capabilities.broadcast:
            pytest.skip("the provider does not declare broadcast")

    async def _taken(self, running: RunningProvider, **changes: Any) -> str:
        taken = await running.broadcast_create(self.broadcast_order(**changes))
        upstream_id = expected(taken, UpstreamBroadcast).upstream_id
        assert upstream_id, "nobody could ask about it without its id"
        return upstream_id

    @case
    async def test_a_broadcast_is_handed_over_once_with_everybody(self) -> None:
        """One request carries all recipients, or each has one of its own; none is left out, none is there twice."""
        self._runs_broadcasts()
        async with self.broken_upstream() as (running, upstream):
            await self._taken(running)
            for number in range(RECIPIENTS):
                carried = [each for each in upstream.requests if self.carries(each, self.message(number))]
                assert 1 == len(carried), f"{len(carried)} requests carry recipient {number}"

    @case
    async def test_two_broadcasts_have_ids_of_their_own(self) -> None:
        """By which they are told apart from then on."""
        self._runs_broadcasts()
        async with self.whole_upstream() as (running, _):
            first = await self._taken(running)
            again = await self._taken(running, broadcast_id="6GZWJGS7W0001", idempotency_key="6GZWJGS7W0001")
            assert first != again

    @case
    async def test_a_broadcast_can_be_asked_about(self) -> None:
        """Its id leads to a state, and to counts that are whole numbers or not said."""
        self._runs_broadcasts()
        async with self.whole_upstream() as (running, _):
            upstream_id = await self._taken(running)
            found = expected(await self._asked(running, upstream_id), UpstreamBroadcast)
            assert found.upstream_id in {"", upstream_id}
            assert isinstance(found.state, BroadcastState)
            for count in (found.expected, found.sent, found.delivered, found.failed):
                assert count is None or (type(count) is int and count >= 0)

    @case
    async def test_a_broadcast_with_a_time_waits_for_it(self) -> None:
        """It is SCHEDULED where its upstream says how it stands."""
        self._runs_broadcasts()
        async with self.whole_upstream() as (running, _):
            upstream_id = await self._taken(running, schedule_at_us=NOW_US + DAY_US)
            found = expected(await self._asked(running, upstream_id), UpstreamBroadcast)
            assert found.state in {BroadcastState.SCHEDULED, BroadcastState.UNKNOWN}

    @case
    async def test_a_broadcast_is_held_resumed_ended_and_removed(self) -> None:
        """Each is done, and shows where its upstream says how it stands."""
        self._runs_broadcasts()
        states = (BroadcastState.SUSPENDED, BroadcastState.RUNNING, BroadcastState.STOPPED)
        async with self.whole_upstream() as (running, _):
            upstream_id = await self._taken(running)
            for method, state in zip(CONTROLS, states, strict=False):
                expected(await running.broadcast_control(method, upstream_id), BroadcastMoved)
                found = expected(await self._asked(running, upstream_id), UpstreamBroadcast)
                assert found.state in {state, BroadcastState.UNKNOWN, BroadcastState.COMPLETED}
            expected(await running.broadcast_control("delete", upstream_id), BroadcastMoved)

    @case
    async def test_a_question_without_an_id_claims_nothing(self) -> None:
        """Where the answer to a hand-over was lost: found by its key, surely not there, or nobody can tell."""
        self._runs_broadcasts()
        async with self.whole_upstream() as (running, upstream):
            expected(await self._asked(running, ""), UpstreamBroadcast, NotAccepted, Unknown)
            carried = [each for each in upstream.requests if self.carries(each, self.message(0))]
            assert [] == carried, "a question never sends anything"

    @case
    async def test_a_broadcast_refused_for_good_is_rejected(self) -> None:
        """No other attempt could succeed."""
        self._runs_broadcasts()
        order = self.refused_order()
        if order is None:
            pytest.skip("refused_order() names no broadcast that the upstream refuses")
        async with self.whole_upstream() as (running, _):
            expected(await running.broadcast_create(order), Rejected)

    @pytest.mark.parametrize("fault", FAULTS, ids=FAULT_IDS)
    @case
    async def test_an_upstream_that_failed_may_have_taken_a_broadcast(self, fault: Fault) -> None:
        """Unknown: it is asked about then, and never handed over twice."""
        self._runs_broadcasts()
        async with self.broken_upstream(fault) as (running, upstream):
            answer = await running.broadcast_create(self.broadcast_order())
            found = expected(answer, Unknown, why="the request had left, so it may have been taken")
            self._tells_nothing(found)
            carried = [each for each in upstream.requests if self.carries(each, self.message(0))]
            assert 2 > len(carried), "it was handed over twice"

    @pytest.mark.parametrize("fault", FAULTS, ids=FAULT_IDS)
    @case
    async def test_an_upstream_that_failed_says_nothing_of_a_broadcast(self, fault: Fault) -> None:
        """A NotAccepted would have it handed over again."""
        self._runs_broadcasts()
        async with self.broken_upstream() as (running, upstream):
            upstream_id = await self._taken(running)
            upstream.fail(fault, times=None)
            found = expected(await self._asked(running, upstream_id), Unknown)
            self._tells_nothing(found)
            for method in CONTROLS:
                expected(await running.broadcast_control(method, upstream_id), NotAccepted, Unknown)

    @case
    async def test_a_closed_port_was_given_no_broadcast(self) -> None:
        """NotAccepted: it is handed over again. A question that went nowhere says nothing."""
        self._runs_broadcasts()
        async with (
            self.broken_upstream() as (_, upstream),
            self.running(base_url=upstream.refused_url) as running,
        ):
            expected(await running.broadcast_create(self.broadcast_order()), NotAccepted)
            expected(await self._asked(running, "1"), Unknown)
            for method in CONTROLS:
                expected(await running.broadcast_control(method, "1"), NotAccepted, Unknown)

    @pytest.mark.parametrize("status", [401, 403])
    @case
    async def test_wrong_credentials_burn_no_broadcast(self, status: int) -> None:
        """It was surely not taken, and goes out once the operator has mended them."""
        self._runs_broadcasts()
        async with self.broken_upstream(Say(Answer.of_text("Unauthorized", status))) as (running, _):
            expected(await running.broadcast_create(self.broadcast_order()), NotAccepted)

    @waits
    @case
    async def test_silence_about_a_broadcast_is_no_answer(self) -> None:
        """Within the provider's own time limit."""
        self._runs_broadcasts()
        async with self.broken_upstream(Hang(), impatient=True) as (running, _):
            expected(await running.broadcast_create(self.broadcast_order()), Unknown)
            expected(await self._asked(running, "1"), Unknown)

    async def _asked(self, running: RunningProvider, upstream_id: str) -> Any:
        return await running.broadcast_get(BroadcastQuestion(upstream_id, "6GZWJGS7W0000", NOW_US))

    def _tells_nothing(self, found: Unknown) -> None:
        """What is said of a failure holds no text, no address and no secret."""
        told = f"{found.code} {found.text}"
        settings = self.provider_type.settings.model_validate(self.settings("http://127.0.0.1:9"))
        hidden = {"Text 0", self.recipient(0, self.channel).lstrip("+"), *secrets_of(settings)}
        assert [] == [each for each in hidden if each in told]
