"""What consent makes of a plan: messages to those who said STOP become refusals. No I/O."""

from collections.abc import Mapping
from dataclasses import replace

from broker.domain.lifecycle import Fact, begin
from broker.domain.plan import Plan, PlannedMessage
from broker.domain.vocabulary import Reason

_REFUSED = begin(Fact.REFUSED)


def may_stop(message: PlannedMessage) -> bool:
    """Whether consent decides about a message: not where it is refused for what it says itself.

    Consent comes before routing, so that a recipient who said STOP is refused for that though no route leads there.
    """
    return not message.step.end or message.result.reason is Reason.NO_ROUTE


def with_refusals(plan: Plan, reasons: Mapping[int, Reason]) -> Plan:
    """The plan with some messages refused, by their ids."""
    if not reasons:
        return plan
    messages = tuple([
        _refused(each, reasons[each.message_id]) if each.message_id in reasons else each
        for each in plan.messages
    ])
    return replace(plan, messages=messages)


def _refused(message: PlannedMessage, reason: Reason) -> PlannedMessage:
    result = replace(
        message.result, state=_REFUSED.state, reason=reason, detail=reason.value, warnings=(), price=None
    )
    return replace(message, step=_REFUSED, result=result, candidates=(), quote=None)
