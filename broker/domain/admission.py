"""What an account's policy makes of a planned message: it goes, it waits, or it is refused; and why, for Explain."""

from collections.abc import Sequence
from dataclasses import replace

from broker.domain.account_policy import AccountPolicy
from broker.domain.address import normal_number
from broker.domain.directory import Contact
from broker.domain.lifecycle import Fact, begin
from broker.domain.plan import Plan, PlannedMessage, PolicyFinding, PolicyOutcome, PolicyRule
from broker.domain.quiet_hours import QuietAction, QuietHours, quiet_until
from broker.domain.reaching import Reached
from broker.domain.submission import Submission
from broker.domain.time_zone import zones_of_number
from broker.domain.value import value
from broker.domain.vocabulary import Reason, Traffic

SCHEDULE_AHEAD_US_MAX = 35 * 86_400 * 1_000_000
ZONES_NAMED_MAX = 3
NO_CAP = "the account's policy has no frequency cap"


@value
class Refusal:
    """A plugin's, of a whole submission."""

    plugin: str
    text: str


def held_to_policy(
    messages: Sequence[PlannedMessage],
    submission: Submission,
    people: Sequence[Reached] | None,
    policy: AccountPolicy,
    now_us: int,
) -> list[PlannedMessage]:
    """Marketing outside of quiet hours: what would be sent in them waits or is refused.

    How many a contact gets is counted where they are stored (`domain.capping`); here it is only seen whether there is a
    cap.
    """
    if submission.cap_frequency and policy.frequency_cap is None:
        messages = [_without_cap(each) for each in messages]
    quiet = policy.quiet_hours
    if quiet is None or submission.traffic is not _PROMOTIONAL:
        return list(messages)
    if submission.ignore_quiet_hours:
        ignored = PolicyFinding(PolicyRule.QUIET_HOURS, PolicyOutcome.IGNORED, "the request ignores them")
        return [found(each, ignored) for each in messages]
    held = []
    for place, message in enumerate(messages):
        if message.result.reason is not None:
            held.append(message)
            continue
        recipient = submission.recipients[place] if people is None else people[place].recipient
        contact = None if people is None else people[place].contact
        number = normal_number(recipient.phone_number or "", policy.default_region)
        zones, whence = _zones(contact, number, quiet)
        held.append(_outside_quiet_hours(message, quiet, zones, whence, now_us))
    return held


def refused_by(plan: Plan, refusal: Refusal) -> Plan:
    """The plan with each of its messages refused, but for those that were before."""
    finding = PolicyFinding(PolicyRule.PLUGIN, PolicyOutcome.REFUSED, refusal.text, refusal.plugin)
    detail = f"{refusal.plugin}: {refusal.text}" if refusal.text else refusal.plugin
    messages = tuple(
        each if each.result.reason is not None else refused(each, Reason.REFUSED_BY_PLUGIN, detail, finding)
        for each in plan.messages
    )
    return replace(plan, messages=messages)


_PROMOTIONAL = Traffic.PROMOTIONAL


def _without_cap(message: PlannedMessage) -> PlannedMessage:
    """A message that is to be held to a cap that its account does not have: it goes, with a warning."""
    finding = PolicyFinding(PolicyRule.FREQUENCY_CAP, PolicyOutcome.ALLOWED, NO_CAP)
    if message.result.reason is not None:
        return message
    warned = replace(message.result, warnings=(*message.result.warnings, NO_CAP))
    return found(replace(message, result=warned), finding)


def _zones(contact: Contact | None, number: str | None, quiet: QuietHours) -> tuple[tuple[str, ...], str]:
    """The zones that a recipient may be in, and how that is known."""
    if contact is not None and contact.card.time_zone:
        return (contact.card.time_zone,), "of the contact"
    if number and (zones := zones_of_number(number)):
        return zones, "of the number"
    return (quiet.time_zone,), "of the account"


def _outside_quiet_hours(
    message: PlannedMessage, quiet: QuietHours, zones: tuple[str, ...], whence: str, now_us: int
) -> PlannedMessage:
    due_us = message.result.transmit_at_us
    free_us = quiet_until(quiet, zones, due_us)
    where = f"in {_named(zones)}, {'zone' if len(zones) == 1 else 'zones'} {whence}"
    rule = PolicyRule.QUIET_HOURS
    if free_us == due_us:
        return found(message, PolicyFinding(rule, PolicyOutcome.ALLOWED, f"it is not quiet {where}"))
    if quiet.action is QuietAction.REFUSE:
        problem = f"it is quiet {where}"
    elif free_us is None:
        problem = f"it is always quiet {where}"
    elif free_us >= message.expire_at_us:
        problem = f"it is quiet {where}, until its validity has passed"
    elif free_us > now_us + SCHEDULE_AHEAD_US_MAX:
        problem = f"it is quiet {where}, until more than 35 days from now"
    else:
        return _later(message, free_us, PolicyFinding(rule, PolicyOutcome.WAITS, f"it is quiet {where}"))
    return refused(message, Reason.QUIET_HOURS, problem, PolicyFinding(rule, PolicyOutcome.REFUSED, problem))


def _named(zones: tuple[str, ...]) -> str:
    """The zones, the first of many."""
    more = len(zones) - ZONES_NAMED_MAX
    return ", ".join(zones[:ZONES_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def found(message: PlannedMessage, finding: PolicyFinding) -> PlannedMessage:
    """The message with what a rule said of it."""
    return replace(message, policy=(*message.policy, finding))


def _later(message: PlannedMessage, at_us: int, finding: PolicyFinding) -> PlannedMessage:
    step = begin(Fact.SCHEDULED)
    warnings = (*message.result.warnings, "waits for the end of quiet hours")
    result = replace(message.result, state=step.state, transmit_at_us=at_us, warnings=warnings)
    return found(replace(message, step=step, result=result), finding)


def refused(message: PlannedMessage, reason: Reason, detail: str, finding: PolicyFinding) -> PlannedMessage:
    """The message as one that a rule refuses. It costs nothing."""
    step = begin(Fact.REFUSED)
    result = replace(
        message.result, state=step.state, reason=reason, detail=detail, fallback_channels=(), price=None
    )
    return found(replace(message, step=step, result=result, candidates=(), further=(), quote=None), finding)
