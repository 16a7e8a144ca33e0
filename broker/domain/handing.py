"""What an upstream that runs a broadcast is given, and what it cannot be given."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from broker.domain.broadcast import Broadcast, Wish
from broker.domain.ids import format_id
from broker.domain.lifecycle import Fact, begin
from broker.domain.personalising import told
from broker.domain.plan import Plan, PlannedMessage
from broker.domain.planning import SCHEDULE_SLACK_US
from broker.domain.submission import NO_TOKENS, Submission
from broker.domain.upstream_broadcast import LEAD_US, BroadcastOrder, BroadcastRecipient
from broker.domain.vocabulary import Channel, Reason
from broker.errors import Violation

LATER = "its upstream starts the broadcast for all at once, and this recipient is to get it later"
_REFUSED = begin(Fact.REFUSED)


def problems(worded: Submission, plan: Plan) -> list[Violation]:
    """Why a broadcast cannot be run by an upstream, whichever that is."""
    found = []
    if len(worded.content.documents) != 1:
        found.append(Violation("content", "must be for one channel where an upstream runs the broadcast"))
    if why := misfit(plan):
        found.append(Violation("upstream_provider", why))
    return found


def misfit(plan: Plan) -> str:
    """What the account wants of its messages that an upstream which runs them cannot keep to; empty for nothing."""
    if plan.pays:
        return "the account pays from its credit, and an upstream's broadcasts are not charged to it"
    if plan.submission.content.links is not None:
        return "the account's links are shortened, and an upstream's broadcasts have theirs as they are"
    return ""


def contents_of(
    submission: Submission, plan: Plan
) -> tuple[list[PlannedMessage], Mapping[int, Mapping[str, Any]]]:
    """The messages of a plan, those refused who cannot have it now, and what each of the others says."""
    messages: list[PlannedMessage] = []
    contents: dict[int, Mapping[str, Any]] = {}
    shared: dict[Channel, Mapping[str, Any]] = {}
    names = submission.content.names
    for message in plan.messages:
        channel = message.result.channel
        if message.step.end or channel is None:
            messages.append(message)
        elif message.result.transmit_at_us > plan.accepted_at_us + SCHEDULE_SLACK_US:
            messages.append(_later(message))
        else:
            messages.append(message)
            if names and message.tokens:
                content = told(submission, message.tokens).content.documents[channel]
            else:
                content = (
                    shared.get(channel)
                    or told(submission, NO_TOKENS if names else None).content.documents[channel]
                )
                shared[channel] = content
            contents[message.message_id] = content
    return messages, contents


def _later(message: PlannedMessage) -> PlannedMessage:
    result = replace(
        message.result, state=_REFUSED.state, reason=Reason.POLICY, detail=LATER, warnings=(), price=None
    )
    return replace(message, step=_REFUSED, result=result, candidates=(), further=(), quote=None)


def senders_of(submission: Submission, messages: Sequence[PlannedMessage]) -> set[str]:
    """Whom those messages are from that may go: one, unless the account has several defaults that fit."""
    return {
        submission.sender if each.sender is None else each.sender for each in messages if not each.step.end
    }


def ordered(
    broadcast: Broadcast,
    wish: Wish,
    plan: Plan,
    wanted: Collection[int],
    contents: Mapping[int, Mapping[str, Any]],
    now_us: int,
) -> BroadcastOrder:
    """What the upstream is handed: the recipients among `wanted`, and when it is to start."""
    chosen = [each for each in plan.messages if each.message_id in wanted]
    channel = chosen[0].result.channel
    if channel is None:
        raise AssertionError("a message that may go has a channel")
    at_us = broadcast.schedule_at_us
    ahead = at_us is not None and now_us < at_us <= now_us + LEAD_US
    identity = format_id(broadcast.broadcast_id)
    return BroadcastOrder(
        broadcast_id=identity,
        idempotency_key=identity,
        name=broadcast.name,
        channel=channel,
        sender=next(iter(senders_of(wish.submission, chosen))),
        traffic=wish.submission.traffic,
        recipients=tuple(
            BroadcastRecipient(each.result.recipient, contents[each.message_id]) for each in chosen
        ),
        schedule_at_us=at_us if ahead else None,
    )
