"""A send and a STOP in whatever order they get to the store: no attempt commits after the STOP did."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.domain.consent import Act, Consent, ConsentChange, fold, refusal
from broker.domain.lifecycle import Fact
from broker.domain.outcome import NotAccepted
from broker.domain.records import EventRecord
from broker.domain.vocabulary import EventKind
from broker.storage.dispatching import OpenAttempt
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.consenting import PHONE, record, said
from broker.testing.store_suite.opening import OpenedStore

STEPS = st.one_of(
    st.tuples(st.just("send"), st.sampled_from(["", "Shop", "Bank"])),
    st.tuples(st.just("say"), st.sampled_from(["", "Shop"]), st.sampled_from([Act.OPT_OUT, Act.OPT_IN])),
    st.tuples(st.just("claim")),
    st.tuples(st.just("settle")),
)
MOMENTS = st.lists(st.lists(STEPS, min_size=1, max_size=5), min_size=4, max_size=12)
"""What happens at the same time, moment after moment: the store puts it into any transactions it likes."""


class RacingCases(OpenedStore):
    """A send and a STOP, in whatever order they get to the store."""

    @given(moments=MOMENTS)
    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    async def test_no_attempt_commits_after_the_stop_did(self, moments: list[list[tuple[Any, ...]]]) -> None:
        """The account's log has the order of the commits: between a STOP and a START it has no attempt."""
        with tempfile.TemporaryDirectory() as place:
            async with self.open_store(Path(place)) as store:
                await self.add_accounts(store)
                await Race(Bench(store)).run(moments)
                await self.check_invariants(store)

    @pytest.mark.soak
    @pytest.mark.timeout(1_800)
    @given(moments=MOMENTS)
    @settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))
    async def test_no_attempt_commits_after_the_stop_did_for_long(
        self, moments: list[list[tuple[Any, ...]]]
    ) -> None:
        """The same, more often."""
        with tempfile.TemporaryDirectory() as place:
            async with self.open_store(Path(place)) as store:
                await self.add_accounts(store)
                await Race(Bench(store)).run(moments)


class Race:
    """Steps about one recipient, many at a time."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.attempts: list[OpenAttempt] = []

    async def run(self, moments: list[list[tuple[Any, ...]]]) -> None:
        """Every moment, then the log."""
        for steps in moments:
            await asyncio.gather(*(getattr(self, name)(*more) for name, *more in steps))
            self.bench.wait(60)
        self.check(await self.bench.events())

    async def send(self, sender: str) -> None:
        """A message."""
        await self.bench.send(sender=sender)

    async def say(self, sender: str, act: Act) -> None:
        """STOP or START."""
        await record(self.bench, said(act, sender=sender))

    async def claim(self) -> None:
        """What is due is handed over."""
        self.attempts += (await self.bench.claim()).attempts

    async def settle(self) -> None:
        """The provider surely did not take it, so it is tried again."""
        if self.attempts:
            await self.bench.settle(self.attempts.pop(), NotAccepted())

    def check(self, events: list[EventRecord]) -> None:
        """Follow the wishes along the log, as they were told."""
        changes: list[ConsentChange] = []
        for event in events:
            if event.kind is EventKind.OPT_IN and event.told is not None:
                act = Act.OPT_OUT if event.told["state"] == Consent.OPTED_OUT else Act.OPT_IN
                changes.append(said(act, sender=event.told["sender"]))
            elif event.change is not None and event.change.fact is Fact.ATTEMPTED:
                assert refusal(fold(changes), 1, event.sender, PHONE) is None, "an attempt after the STOP"
