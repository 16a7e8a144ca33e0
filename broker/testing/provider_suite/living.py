"""Cases of an instance's life: it starts, is cancelled, stops, and leaves nothing behind."""

import asyncio
import os
from unittest import mock

import pytest

from broker.spi import Accepted, NotAccepted, Unknown
from broker.testing.lending import Lent
from broker.testing.provider_suite.asked import Asked, expected
from broker.testing.provider_suite.case import case
from broker.testing.provider_suite.leftovers import until, watching
from broker.testing.upstream import Answer, Hang, Hold, Say, Upstream
from broker.testing.upstream.server import nothing_here

ENDED_S = 5.0
HELD_S_MAX = 5.0
HEARTBEATS = 20
HEARTBEAT_S = 0.005
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


class LivingCases(Asked):
    """From `start` to `stop`."""

    @case
    async def test_the_broker_starts_while_the_upstream_is_down(self) -> None:
        """An upstream that is down for a while must not keep a restarted broker from serving all the others."""
        async with self.broken_upstream() as (_, upstream), self.running(base_url=upstream.refused_url):
            pass

    @case
    async def test_stopping_leaves_nothing_behind(self) -> None:
        """No task, no connection, nothing unclosed."""
        with watching() as left:
            async with self.whole_upstream() as (running, upstream):
                await self.accepted(running, self.message())
                await running.stop()
                del running
                await left.check(upstream)

    @case
    async def test_stopping_twice_is_nothing_special(self) -> None:
        """A drain that is interrupted may do it."""
        async with self.whole_upstream() as (running, _):
            await running.stop()
            await running.stop()

    @case
    async def test_stopping_what_never_started_is_nothing_special(self) -> None:
        """A start that failed may be followed by a stop."""
        provider = self.built()
        async with asyncio.timeout(self.time_limit_s):
            await provider.stop()

    @case
    async def test_starting_twice_leaves_nothing_double(self) -> None:
        """One stop ends it all, and messages go out as after one start."""
        with watching() as left:
            async with self.whole_upstream() as (running, upstream):
                await running.provider.start(running.lent.context("again"))
                await self.accepted(running, self.message())
                await running.stop()
                await left.check(upstream)

    @case
    async def test_stopping_while_busy_comes_to_an_end(self) -> None:
        """Within 10 s, and nothing hangs behind it: neither the call that was open nor anything else."""
        with watching() as left:
            async with self.broken_upstream(Hang()) as (running, upstream):
                submit = asyncio.create_task(running.provider.submit([self.message()]))
                assert await until(lambda: upstream.requests), "no request came to the upstream"
                await running.stop()
                await asyncio.wait({submit}, timeout=ENDED_S)
                assert submit.done(), "the open submit hangs"
                submit.cancelled() or submit.exception()
                del submit
                await left.check(upstream)

    @case
    async def test_a_cancelled_submit_leaves_nothing_behind(self) -> None:
        """It ends at once with its connection, leaves no task, and the next message goes out."""
        async with self.broken_upstream(Hang()) as (running, upstream):
            with watching() as left:
                submit = asyncio.create_task(running.provider.submit([self.message()]))
                assert await until(lambda: upstream.requests), "no request came to the upstream"
                submit.cancel()
                await asyncio.wait({submit}, timeout=ENDED_S)
                assert submit.done(), "submit resists being cancelled"
                assert submit.cancelled(), "a cancelled submit must not answer"
                del submit
                await left.check(upstream, connections_max=upstream.accepted - 1)
            upstream.recover()
            await self.accepted(running, self.message(1))

    @case
    async def test_other_work_goes_on_while_the_upstream_is_slow(self) -> None:
        """All of the broker runs in this event loop: use an async library, or `asyncio.to_thread`."""
        hold = Hold(seconds_max=HELD_S_MAX)
        async with self.broken_upstream(hold) as (running, upstream):
            submit = asyncio.create_task(running.submit(self.message()))
            await until(lambda: upstream.requests)
            for _ in range(HEARTBEATS):
                await asyncio.sleep(HEARTBEAT_S)
            hold.release.set()
            expected((await submit)[0], Accepted)
            assert not hold.expired.is_set(), "the event loop stood still while the upstream was asked"

    @case
    async def test_two_instances_share_nothing(self) -> None:
        """Several instances of one type are normal: each has its own upstream, and stops alone."""
        async with self.whole_upstream() as (first, upstream), self.whole_upstream() as (second, other):
            one, two = self.message(1), self.message(2)
            ids = await asyncio.gather(self.accepted(first, one), self.accepted(second, two))
            assert [[self.provider_message_ids(one)], [self.provider_message_ids(two)]] == list(ids)
            assert not any(self.carries(each, two) for each in upstream.requests)
            assert not any(self.carries(each, one) for each in other.requests)
            await first.stop()
            await self.accepted(second, self.message(3))

    @case
    async def test_an_instance_can_be_made_again(self) -> None:
        """After a restart the new one works with what the old one kept, or with nothing."""
        async with self.whole_upstream() as (running, upstream):
            await self.accepted(running, self.message(1))
            await running.stop()
            async with self.running(upstream, lent=Lent(keepsakes=running.lent.keepsakes)) as again:
                await self.accepted(again, self.message(2))
            async with self.running(upstream) as anew:
                await self.accepted(anew, self.message(3))

    @case
    async def test_proxies_of_the_environment_are_not_used(self) -> None:
        """Messages and secrets go to the upstream that the settings name, and nowhere else."""
        with Upstream(self.upstream() or nothing_here) as proxy, mock.patch.dict(os.environ):
            for name in ("NO_PROXY", "no_proxy"):
                os.environ.pop(name, None)
            os.environ.update(dict.fromkeys(PROXIES, proxy.url))
            async with self.broken_upstream() as (running, upstream):
                outcome = (await running.submit(self.message()))[0]
                assert [] == proxy.requests, "the proxy of the environment saw the message"
                expected(outcome, Accepted)
                assert upstream.requests

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @case
    async def test_a_redirect_is_not_followed(self, status: int) -> None:
        """It would hand message and credentials to somebody whom the settings do not name."""
        with Upstream(self.upstream() or nothing_here) as elsewhere:
            moved = Answer(status, b"", {"location": f"{elsewhere.url}/elsewhere"})
            async with self.broken_upstream(Say(moved)) as (running, _):
                (outcome,) = await running.submit(self.message())
                assert [] == elsewhere.requests, "the redirect was followed"
                expected(outcome, NotAccepted, Unknown)
