"""Errands: what follows from messages that came in, carried out after they are stored.

They are rows of the transaction that stored the message, so none is forgotten; and each answer has a request_id of its
own, so none is sent twice, whatever dies when.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from broker.delivery.answering import Answering
from broker.delivery.inbound_hook import InboundHook
from broker.delivery.policies import Policies
from broker.delivery.upstream_keywords import NOTHING
from broker.delivery.waking import set_within
from broker.domain.account_policy import AccountPolicy
from broker.domain.consent import Act
from broker.domain.errand import AUTOREPLY, AutoReply, Errand, forward_submission
from broker.errors import BrokerError
from broker.spi import Clock, KeywordField
from broker.storage.errands import (
    DueErrand,
    Postponement,
    finish_errands,
    postpone_errands,
    read_due_errands,
)
from broker.storage.store import Store
from broker.telemetry import places_of

log = structlog.get_logger("waypost.inbox")

ERRANDS_MAX = 100
"""Carried out together."""

LOOK_EVERY_S = 5.0
STORE_RETRY_S = 1.0
RETRY_BASE_S, RETRY_CAP_S = 1.0, 300.0
ATTEMPTS_MAX = 20


class Errands:
    """Runs until it is cancelled. `carried_out` says what the upstream of an address does of a keyword's set-up."""

    def __init__(
        self,
        store: Store,
        answering: Answering,
        policies: Policies,
        hook: InboundHook,
        clock: Clock,
        *,
        carried_out: Callable[[str], frozenset[KeywordField]] = lambda _address: NOTHING,
    ) -> None:
        self._store = store
        self._answering = answering
        self._policies = policies
        self._hook = hook
        self._carried_out = carried_out
        self._clock = clock
        self._wake = asyncio.Event()

    def hint(self) -> None:
        """Something came in."""
        self._wake.set()

    async def run(self) -> None:
        """Carry out what is due, until cancelled."""
        while True:
            self._wake.clear()
            try:
                if await self.carry_out():
                    continue
            except BrokerError as error:
                log.error("inbox.errands_failed", error=str(error), retry_s=STORE_RETRY_S)
                await self._clock.sleep(STORE_RETRY_S)
                continue
            await set_within(self._wake, LOOK_EVERY_S)

    async def carry_out(self) -> int:
        """Carry out a batch of what is due; answers how many there were."""
        due = await self._store.read(read_due_errands, self._clock.now_us(), ERRANDS_MAX)
        if not due:
            return 0
        try:
            await self._carry_out([each.errand for each in due])
        except Exception as error:
            if isinstance(error, BrokerError):
                raise
            log.error("inbox.errand_failed", exception=type(error).__qualname__, at=places_of(error))
            await self._one_by_one(due)
        else:
            await self._store.write(finish_errands, [each.errand.message_id for each in due])
        return len(due)

    async def _one_by_one(self, due: Sequence[DueErrand]) -> None:
        for each in due:
            try:
                await self._carry_out([each.errand])
            except Exception as error:  # noqa: BLE001 - a defect; it is tried again, and seen
                await self._postpone(each, error)
            else:
                await self._store.write(finish_errands, [each.errand.message_id])

    async def _postpone(self, due: DueErrand, error: Exception) -> None:
        if due.attempts + 1 >= ATTEMPTS_MAX:
            log.error("inbox.errand_given_up", exception=type(error).__qualname__, at=places_of(error))
            await self._store.write(finish_errands, [due.errand.message_id])
            return
        wait_s = min(RETRY_CAP_S, RETRY_BASE_S * 2**due.attempts)
        at_us = self._clock.now_us() + round(wait_s * 1_000_000)
        item = Postponement(due.errand.message_id, at_us, due.attempts + 1)
        await self._store.write(postpone_errands, [item])

    async def _carry_out(self, errands: Sequence[Errand]) -> None:
        policies = await self._policies.of({each.account_id for each in errands})
        replies = [reply for each in errands if (reply := self._reply(each, policies[each.account_id]))]
        forwards = [forward_submission(each) for each in errands if self._is_forwarded(each)]
        await self._answering.send(replies, forwards)

    def _is_forwarded(self, errand: Errand) -> bool:
        return bool(errand.forward_to) and KeywordField.EMAIL not in self._carried_out(errand.address)

    def _reply(self, errand: Errand, policy: AccountPolicy) -> AutoReply | None:
        """The one answer to a message: to a word of consent, else a keyword's, else a plugin's."""
        if errand.act is not None:
            text = consent_answer(errand, policy)
            return AutoReply(errand, text, "consent") if text else None
        if errand.autoreply and KeywordField.AUTOREPLY in self._carried_out(errand.address):
            return None  # its upstream has answered already
        if errand.autoreply and not (errand.called_back and policy.inbound_waits):
            return AutoReply(errand, errand.autoreply, AUTOREPLY)
        answer = self._hook.answer(errand) if errand.asks_hook else None
        return AutoReply(errand, answer, "plugin") if answer else None


def consent_answer(errand: Errand, policy: AccountPolicy) -> str:
    """What a word of consent is answered: HELP always, the others where the account has words for it, or wants ours."""
    ours = errand.standing if policy.confirm_opt_ins else ""
    match errand.act:
        case Act.HELP:
            return policy.help_answer or errand.standing
        case Act.OPT_OUT:
            return policy.stop_answer or ours
        case _:
            return policy.start_answer or ours
