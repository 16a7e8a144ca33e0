"""Where an account waits for it, what the callback of a message that came in answers is sent back to its writer."""

import structlog

from broker.delivery.answering import Answering
from broker.delivery.policies import Policies
from broker.delivery.webhooks.waiting import Answered
from broker.domain.address import sender_fits
from broker.domain.errand import AutoReply, Errand
from broker.domain.records import EventRecord
from broker.domain.vocabulary import Channel, EventKind, Reason
from broker.domain.waiting_reply import Abandoned, SpokenAnswer, reply_of
from broker.errors import BrokerError
from broker.spi import Clock

log = structlog.get_logger("waypost.inbox")

STORE_RETRY_S = 1.0
STORE_TRIES = 30


class WaitingReplies(Answered):
    """Says which calls are waited for, and takes what they answer."""

    def __init__(self, policies: Policies, answering: Answering, clock: Clock) -> None:
        self._policies = policies
        self._answering = answering
        self._clock = clock

    async def waits(self, event: EventRecord, attempts: int) -> bool:
        """Whether the answer to this call is sent back: the first to a message that came in, where the account asks."""
        if event.kind is not EventKind.INBOUND or attempts or not event.told:
            return False
        policies = await self._policies.of((event.account_id,))
        return policies[event.account_id].inbound_waits

    async def take(self, event: EventRecord, answer: SpokenAnswer | None) -> None:
        """Send back what was answered; what cannot be sent is seen as a refused answer."""
        found = reply_of(answer)
        if found is None:
            return
        errand = _errand_of(event)
        if isinstance(found, Abandoned):
            reply = AutoReply(errand, "", "callback", Reason.REPLY_ABANDONED, found.why)
        else:
            reply = AutoReply(errand, found.text, "callback")
        for _ in range(STORE_TRIES):
            try:
                await self._answering.send([reply])
            except BrokerError as error:
                log.warning("inbox.answer_not_stored", error=str(error), retry_s=STORE_RETRY_S)
                await self._clock.sleep(STORE_RETRY_S)
            else:
                return
        log.error("inbox.answer_lost", count=1)


def _errand_of(event: EventRecord) -> Errand:
    told = event.told or {}
    ours = event.recipient
    return Errand(
        message_id=event.message_id,
        account_id=event.account_id,
        provider=told["provider"],
        person=event.sender,
        address=ours,
        sender=ours if sender_fits(ours, Channel.SMS) and not told.get("senderless") else "",
        channel=event.channel or Channel.SMS,
        text=told["text"],
        received_at_us=told["received_at_us"],
    )
