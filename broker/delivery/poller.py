"""The poller: asks providers about overdue messages, and ends those that nobody can tell about."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from broker.delivery.dispatcher import OUTCOMES
from broker.delivery.provider_calls import guarded
from broker.delivery.registry import Instance, Registry
from broker.domain.decision import DeliveryPolicy
from broker.domain.outcome import Outcome, Receipt
from broker.errors import BrokerError
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.questioning import (
    AnswerReport,
    Question,
    QuestionClaim,
    claim_questions,
    read_next_question_at,
    settle_answers,
)
from broker.storage.store import Store
from broker.telemetry import places_of

log = structlog.get_logger("waypost.poller")

LOOK_EVERY_S = 0.5
QUESTIONS_MAX = 500
ASKING_PER_PROVIDER_MAX = 16
"""Calls of one provider's `query` at once."""

STORE_RETRY_S = 1.0


class Poller:
    """Runs until it is cancelled. `chance` draws jitter for what is to be sent again.

    `shut` answers the instances that take nothing now.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        *,
        shut: Callable[[], frozenset[str]],
        policy: DeliveryPolicy,
        query_timeout_s: float,
        lease_s: float,
        chance: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._shut = shut
        self._policy = policy
        self._query_timeout_s = query_timeout_s
        self._lease_s = lease_s
        self._chance = chance
        self._metrics = metrics
        self._asking: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)

    @property
    def asking(self) -> int:
        """Calls of `query` under way."""
        return sum(map(len, self._asking.values()))

    async def run(self) -> None:
        """Look for overdue messages, until cancelled."""
        try:
            while True:
                try:
                    looked_at = await self._round()
                except BrokerError as error:
                    log.error("poller.store_failed", error=str(error), retry_s=STORE_RETRY_S)
                    looked_at = 0
                if looked_at < QUESTIONS_MAX:
                    await self._clock.sleep(LOOK_EVERY_S)
        finally:
            asking = [task for places in self._asking.values() for task in places]
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    async def _round(self) -> int:
        """Ask about one batch; answers how many messages were overdue."""
        now_us = self._clock.now_us()
        next_at_us = await self._store.read(read_next_question_at)
        if next_at_us is None or next_at_us > now_us:
            return 0
        wish = QuestionClaim(
            now_us=now_us,
            messages_max=QUESTIONS_MAX,
            lease_until_us=now_us + round(self._lease_s * 1_000_000),
            policy=self._policy,
            can_ask=self._registry.can_ask,
            chance=self._chance,
            shut=self._shut(),
            keeps_keys=self._registry.keeps_keys,
        )
        (overdue,) = await self._store.write(claim_questions, [wish])
        by_provider: defaultdict[str, list[Question]] = defaultdict(list)
        for question in overdue.questions:
            by_provider[question.provider].append(question)
        for name, questions in by_provider.items():
            instance = self._registry.get(name)
            assert instance is not None  # can_ask said so
            size = instance.capabilities.batch_max
            for start in range(0, len(questions), size):
                if len(self._asking[name]) >= ASKING_PER_PROVIDER_MAX:
                    break  # it hangs: the rest is leased, and asked about when the lease runs out
                self._start(name, self._ask(instance, questions[start : start + size]))
        return overdue.looked_at

    def _start(self, name: str, asking: Coroutine[Any, Any, None]) -> None:
        """Ask beside the round, so that a provider that hangs holds up no other."""
        task = asyncio.create_task(asking)
        places = self._asking[name]
        places.add(task)
        task.add_done_callback(places.discard)

    async def _ask(self, instance: Instance, questions: Sequence[Question]) -> None:
        self._metrics.questions.labels(instance.name).inc(len(questions))
        answers: list[Outcome | Receipt] = await guarded(
            instance.provider.query,
            [question.message for question in questions],
            instance=instance.name,
            method="query",
            timeout_s=self._query_timeout_s,
            kinds=(*OUTCOMES, Receipt),
        )
        now_us, shut = self._clock.now_us(), self._shut()
        reports = [
            AnswerReport(
                question=question,
                answer=answer,
                gives_receipts=instance.gives_receipts,
                policy=self._policy,
                now_us=now_us,
                chance=self._chance(),
                spelling=instance.capabilities.receipt_ids,
                shut=shut,
                keeps_keys=instance.keeps_keys,
            )
            for question, answer in zip(questions, answers, strict=True)
        ]
        try:
            await self._store.write(settle_answers, reports, {question.account_id for question in questions})
        except BrokerError as error:
            # Nothing is lost: what was asked is asked again when its lease runs out.
            log.error("poller.settle_failed", messages=len(reports), error=str(error))
        except Exception as error:  # noqa: BLE001 - a defect; the messages are asked about again
            log.error(
                "poller.settle_failed",
                messages=len(reports),
                exception=type(error).__qualname__,
                at=places_of(error),
            )
