"""Tells provider instances that keep opt-ins of their own what recipients want, until each has answered."""

import asyncio
from collections.abc import Sequence

import structlog

from broker.delivery.provider_calls import guarded
from broker.delivery.registry import Instance, Registry
from broker.domain.forwarding import OptInAnswer, OptInFound, OptInQuery
from broker.domain.outcome import NotAccepted, Unknown
from broker.errors import BrokerError
from broker.spi import Clock
from broker.storage.forwarding import (
    FollowWish,
    Forward,
    ForwardClaim,
    ForwardReport,
    claim_forwards,
    follow_record,
    read_forwarding,
    settle_forwards,
)
from broker.storage.store import Store

log = structlog.get_logger("waypost.opt_ins")

CHANGES_MAX = 100
"""Changes in one call of a provider."""

RECORDS_MAX = 1_000
LOOK_EVERY_S = 1.0
STORE_RETRY_S = 1.0


class OptInForwarder:
    """Runs until it is cancelled; does nothing where no instance has an opt-in interface."""

    def __init__(
        self, store: Store, registry: Registry, clock: Clock, *, timeout_s: float, lease_s: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._timeout_s = timeout_s
        self._lease_us = round(lease_s * 1_000_000)
        self._instances = [each for each in registry.all() if each.capabilities.opt_in]
        self._hints = {each.name: asyncio.Event() for each in self._instances}

    @property
    def providers(self) -> list[str]:
        """The instances that are told."""
        return [each.name for each in self._instances]

    def hint(self) -> None:
        """Something may have been put on record."""
        for each in self._hints.values():
            each.set()

    async def run(self) -> None:
        """Tell every instance at its own pace, so that one that hangs holds up no other."""
        async with asyncio.TaskGroup() as group:
            for each in self._instances:
                group.create_task(self._follow(each))

    async def ask(self, query: OptInQuery) -> dict[str, OptInFound | Unknown]:
        """What each instance keeps about a sender and a recipient."""
        answers = await asyncio.gather(*(self._ask(each, query) for each in self._instances))
        return dict(zip(self.providers, answers, strict=True))

    async def _ask(self, instance: Instance, query: OptInQuery) -> OptInFound | Unknown:
        answers = await guarded(
            instance.provider.get_opt_in,
            [query],
            instance=instance.name,
            method="get_opt_in",
            timeout_s=self._timeout_s,
            kinds=(OptInFound, Unknown),
        )
        return answers[0]

    async def _follow(self, instance: Instance) -> None:
        while True:
            self._hints[instance.name].clear()
            try:
                busy = await self._round(instance)
            except BrokerError as error:
                log.error("opt_ins.store_failed", error=str(error), retry_s=STORE_RETRY_S)
                await self._clock.sleep(STORE_RETRY_S)
                continue
            if not busy:
                await self._wait(instance)

    async def _wait(self, instance: Instance) -> None:
        """Until something was put on record, or a try may be due."""
        hinted = asyncio.ensure_future(self._hints[instance.name].wait())
        slept = asyncio.ensure_future(self._clock.sleep(LOOK_EVERY_S))
        try:
            await asyncio.wait({hinted, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hinted.cancel()
            slept.cancel()

    async def _round(self, instance: Instance) -> bool:
        """One batch of records and one call; whether there may be more at once."""
        name, now_us = instance.name, self._clock.now_us()
        behind, due_at_us = await self._store.read(read_forwarding, name)
        if behind:
            await self._store.write(follow_record, [FollowWish(name, now_us, RECORDS_MAX)])
        elif due_at_us is None or due_at_us > now_us:
            return False
        claim = ForwardClaim(name, now_us, now_us + self._lease_us, CHANGES_MAX)
        (forwards,) = await self._store.write(claim_forwards, [claim])
        if forwards:
            await self._tell(instance, forwards)
        return behind or len(forwards) == CHANGES_MAX

    async def _tell(self, instance: Instance, forwards: Sequence[Forward]) -> None:
        answers: list[OptInAnswer | NotAccepted | Unknown] = await guarded(
            instance.provider.set_opt_in,
            [each.change for each in forwards],
            instance=instance.name,
            method="set_opt_in",
            timeout_s=self._timeout_s,
            kinds=(OptInAnswer, NotAccepted, Unknown),
        )
        now_us = self._clock.now_us()
        reports = [
            ForwardReport(forward, answer, now_us) for forward, answer in zip(forwards, answers, strict=True)
        ]
        await self._store.write(settle_forwards, reports)
