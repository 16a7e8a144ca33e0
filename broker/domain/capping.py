"""What a frequency cap makes of a plan: messages to contacts who have had enough become refusals. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from broker.domain.admission import found, refused
from broker.domain.frequency import FrequencyCap, busiest, counting
from broker.domain.plan import Plan, PlannedMessage, PolicyFinding, PolicyOutcome, PolicyRule
from broker.domain.vocabulary import Reason

Dues = Mapping[int, Sequence[int]]
"""When the counted messages of contacts are due, by contact, in rising order."""

_DAY_S = 86_400
_UNASKED = PolicyFinding(
    PolicyRule.FREQUENCY_CAP, PolicyOutcome.IGNORED, "the request does not ask for it; the message counts"
)


def counting_for(message: PlannedMessage) -> int | None:
    """The contact that a message counts for; None where it is refused, or goes to a bare address."""
    return None if message.step.end else message.result.contact_id


def held_to_cap(plan: Plan, dues: Dues) -> tuple[Plan, Dues]:
    """The plan with the messages refused that its cap does not allow, and what changes in `dues` when it is stored.

    Every message to a contact counts. Only where its submission asks for it is it also held to the cap.
    """
    assert plan.cap is not None
    changed: dict[int, Sequence[int]] = {}
    messages: list[PlannedMessage] = []
    for message in plan.messages:
        contact_id = counting_for(message)
        if contact_id is None:
            messages.append(message)
            continue
        known = changed[contact_id] if contact_id in changed else dues.get(contact_id, ())
        held = _held(message, plan.cap, known) if plan.submission.cap_frequency else _noted(message)
        messages.append(held)
        if not held.step.end:
            changed[contact_id] = counting(plan.cap, known, held.result.transmit_at_us, plan.accepted_at_us)
    return replace(plan, messages=tuple(messages)), changed


def _held(message: PlannedMessage, cap: FrequencyCap, dues: Sequence[int]) -> PlannedMessage:
    most = busiest(cap, dues, message.result.transmit_at_us)
    detail = f"{most} of {cap.count} in {_span(cap.window_us)}"
    rule = PolicyRule.FREQUENCY_CAP
    if most < cap.count:
        return found(message, PolicyFinding(rule, PolicyOutcome.ALLOWED, f"the contact has {detail}"))
    problem = f"{Reason.FREQUENCY_CAP.value}: {detail}"
    return refused(
        message, Reason.FREQUENCY_CAP, problem, PolicyFinding(rule, PolicyOutcome.REFUSED, problem)
    )


def _noted(message: PlannedMessage) -> PlannedMessage:
    return found(message, _UNASKED)


def _span(span_us: int) -> str:
    """A window for people."""
    seconds = span_us // 1_000_000
    if seconds % _DAY_S == 0:
        return f"{seconds // _DAY_S} d"
    return f"{seconds // 3_600} h" if seconds % 3_600 == 0 else f"{seconds:,} s"
