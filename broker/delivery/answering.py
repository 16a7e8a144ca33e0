"""Answers that the broker sends by itself, once for each message that came in, and never without end.

An answer never answers one of our own: who writes from a sender that is registered here gets none. And between two
addresses there are so many an hour and no more, since somebody else's machine may answer ours for ever.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from broker.delivery.intake import Intake
from broker.domain.errand import AutoReply, reply_submission
from broker.domain.submission import Submission
from broker.domain.vocabulary import Channel, Reason
from broker.errors import BrokerError, ErrorReason
from broker.metrics import Metrics
from broker.spi import Clock
from broker.storage.errands import ReplyWish, allow_replies, read_own_addresses
from broker.storage.store import Store

log = structlog.get_logger("waypost.inbox")

PASSING = frozenset({
    ErrorReason.QUEUE_FULL,
    ErrorReason.DRAINING,
    ErrorReason.STORE_UNAVAILABLE,
    ErrorReason.OUTCOME_UNKNOWN,
})
"""What the same request may be taken after."""


class Answering:
    """Sends answers. At most `replies_per_hour_max` go between two addresses in an hour.

    `route` answers the instance that serves a channel, the named one if it does; `restricted` whether an instance
    carries the restricted text profile alone.
    """

    def __init__(
        self,
        store: Store,
        intake: Intake,
        clock: Clock,
        metrics: Metrics,
        *,
        route: Callable[[Channel, str], str | None],
        restricted: Callable[[str], bool] = lambda _provider: False,
        replies_per_hour_max: int,
    ) -> None:
        self._store = store
        self._intake = intake
        self._clock = clock
        self._metrics = metrics
        self._route = route
        self._restricted = restricted
        self._replies_max = replies_per_hour_max

    async def send(self, replies: Sequence[AutoReply], others: Sequence[Submission] = ()) -> None:
        """Hand answers, and `others` beside them, to intake. To ask again for the same changes nothing.

        Raises BrokerError where all of it may be asked for again later. What can never be sent is logged.
        """
        judged = await self._judged(replies)
        submissions = [*(self._submission(each) for each in judged), *others]
        if not submissions:
            return
        for submission, answer in zip(submissions, await self._intake.accept(submissions), strict=True):
            if not isinstance(answer, BrokerError):
                refused = answer[0].reason
                word = "sent" if refused is None else refused.name
            elif answer.reason in PASSING:
                raise answer
            else:
                word = answer.reason.name
                log.warning("inbox.answer_refused", reason=word, kind=submission.origin)
            self._metrics.auto_replies.labels(submission.origin, word).inc()

    async def _judged(self, replies: Sequence[AutoReply]) -> list[AutoReply]:
        """The answers, those refused that must not go."""
        live = [each for each in replies if each.refused_for is None]
        if not live:
            return list(replies)
        ours = await self._store.read(read_own_addresses, {each.errand.person for each in live})
        going = [each for each in live if each.errand.person not in ours]
        now_us = self._clock.now_us()
        wishes = [ReplyWish(*each.pair, each.errand.message_id, now_us, self._replies_max) for each in going]
        allowed = await self._store.write(allow_replies, wishes)
        over = {each.errand.message_id for each, fits in zip(going, allowed, strict=True) if not fits}
        return [_judge(each, ours, over) for each in replies]

    def _submission(self, reply: AutoReply) -> Submission:
        provider = self._provider(reply)
        # Better in English than not at all. What an account says itself fits every profile.
        errand = reply.errand
        if reply.text == errand.standing and errand.standing_plain and self._restricted(provider):
            reply = replace(reply, text=errand.standing_plain)
        return reply_submission(reply, provider)

    def _provider(self, reply: AutoReply) -> str:
        """The instance that the message came through, if it can carry the answer: the address is its own."""
        channel = Channel.EMAIL if "@" in reply.errand.person else Channel.SMS
        through = reply.errand.provider
        return through if self._route(channel, through) == through else ""


def _judge(reply: AutoReply, ours: set[str], over: set[int]) -> AutoReply:
    if reply.refused_for is not None:
        return reply
    if reply.errand.person in ours:
        return replace(reply, refused_for=Reason.REPLY_LOOP)
    return replace(reply, refused_for=Reason.REPLY_LIMIT) if reply.errand.message_id in over else reply
