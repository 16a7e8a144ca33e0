"""What policy makes of planned messages."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from broker.domain.account_policy import AccountPolicy
from broker.domain.admission import Refusal, refused_by
from broker.domain.directory import Card, Contact, ContactRef, Named
from broker.domain.fingerprint import fingerprint
from broker.domain.grounds import Grounds
from broker.domain.lifecycle import Fact, State
from broker.domain.plan import Plan, PlannedMessage, PolicyFinding, PolicyOutcome, PolicyRule
from broker.domain.planning import plan
from broker.domain.quiet_hours import QuietAction, QuietHours
from broker.domain.reaching import Reached
from broker.domain.submission import Recipient, Submission
from broker.domain.vocabulary import Delegation, Reason, Traffic
from broker.testing.builders import IdCounter, everywhere, phones, planned, sms, submission

NIGHT = QuietHours(20 * 60, 8 * 60, time_zone="Europe/London")
NEW_YORKER = Recipient(phone_number="+12125550123")
NOBODY_KNOWS = Recipient(phone_number="+8823456789012")


def at(text: str, zone: str) -> int:
    """A time on the wall of a zone."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 10**6


EVENING_US = at("2026-06-10T21:00", "America/New_York")
MORNING_US = at("2026-06-11T08:00", "America/New_York")


def marketing(**changes: Any) -> Submission:
    """What nobody asked for, to somebody in New York."""
    fields: dict[str, Any] = {"traffic": Traffic.PROMOTIONAL, "recipients": (NEW_YORKER,)}
    return submission(**(fields | changes))


def decided(
    asked: Submission,
    *,
    quiet: QuietHours | None = NIGHT,
    region: str = "",
    now_us: int = EVENING_US,
    people: tuple[Reached, ...] | None = None,
) -> PlannedMessage:
    """The one message of a plan by an account with quiet hours."""
    grounds = Grounds(now_us, 10, everywhere, policy=AccountPolicy(region, quiet_hours=quiet))
    answer = plan(asked, IdCounter(now_us).take(2), grounds, people)
    assert isinstance(answer, Plan)
    return answer.messages[0]


def outcomes(message: PlannedMessage) -> list[PolicyOutcome]:
    """What the rules said."""
    return [each.outcome for each in message.policy]


def test_marketing_waits_for_the_morning() -> None:
    """It is SCHEDULED for then, says so, and its validity still counts from when it was due."""
    message = decided(marketing())
    assert (State.SCHEDULED, Fact.SCHEDULED, MORNING_US, ("waits for the end of quiet hours",)) == (
        message.result.state,
        message.step.fact,
        message.result.transmit_at_us,
        message.result.warnings,
    )
    assert decided(marketing(), quiet=None).expire_at_us == message.expire_at_us
    finding = PolicyFinding(
        PolicyRule.QUIET_HOURS, PolicyOutcome.WAITS, "it is quiet in America/New_York, zone of the number"
    )
    assert (finding,) == message.policy


@pytest.mark.parametrize("traffic", set(Traffic) - {Traffic.PROMOTIONAL}, ids=lambda each: each.name)
def test_what_somebody_asked_for_goes(traffic: Traffic) -> None:
    """At any hour."""
    message = decided(marketing(traffic=traffic))
    assert (State.ACCEPTED, ()) == (message.result.state, message.policy)


def test_by_day_it_goes_at_once() -> None:
    """And says that it was looked at."""
    message = decided(marketing(), now_us=MORNING_US)
    assert (State.ACCEPTED, [PolicyOutcome.ALLOWED]) == (message.result.state, outcomes(message))


def test_a_request_can_ignore_them() -> None:
    """Which is part of what was asked for."""
    asked = marketing(ignore_quiet_hours=True)
    message = decided(asked)
    assert (State.ACCEPTED, [PolicyOutcome.IGNORED]) == (message.result.state, outcomes(message))
    assert fingerprint(asked) != fingerprint(marketing())


def test_an_account_can_have_it_refused() -> None:
    """With a reason of its own."""
    message = decided(marketing(), quiet=replace(NIGHT, action=QuietAction.REFUSE))
    assert (State.REJECTED, Reason.QUIET_HOURS, (), [PolicyOutcome.REFUSED]) == (
        message.result.state,
        message.result.reason,
        message.candidates,
        outcomes(message),
    )


@pytest.mark.parametrize(("validity_s", "waits"), [(11 * 3_600 + 1, True), (11 * 3_600, False)])
def test_what_would_not_be_valid_in_the_morning_is_refused(validity_s: int, waits: bool) -> None:
    """On both sides of the limit."""
    message = decided(marketing(validity_us=validity_s * 10**6))
    expected = (State.SCHEDULED, None) if waits else (State.REJECTED, Reason.QUIET_HOURS)
    assert expected == (message.result.state, message.result.reason)


def test_what_is_scheduled_is_held_to_its_own_time() -> None:
    """Not to that of its acceptance, and never beyond the 35 days of a schedule."""
    noon_us = at("2026-06-11T12:00", "America/New_York")
    assert noon_us == decided(marketing(schedule_at_us=noon_us)).result.transmit_at_us
    last_us = EVENING_US + 35 * 86_400 * 10**6
    message = decided(marketing(schedule_at_us=last_us, validity_us=7 * 86_400 * 10**6))
    assert Reason.QUIET_HOURS == message.result.reason


def test_a_contact_is_where_it_says() -> None:
    """Whatever its number says."""
    contact = Contact(7, 1, 1, EVENING_US, EVENING_US, Card(time_zone="Asia/Tokyo"))
    someone = Reached(0, NEW_YORKER, contact)
    asked = marketing(recipients=(Recipient(contact=Named(ContactRef(contact_id=7), Delegation.DIRECT)),))
    message = decided(asked, people=(someone,))
    assert (State.ACCEPTED, "it is not quiet in Asia/Tokyo, zone of the contact") == (
        message.result.state,
        message.policy[0].detail,
    )


def test_a_national_number_is_where_its_country_is() -> None:
    """By the account's default region."""
    message = decided(marketing(recipients=(Recipient(phone_number="(212) 555-0123"),)), region="US")
    assert MORNING_US == message.result.transmit_at_us


def test_nobody_of_no_place_is_where_the_account_says() -> None:
    """A satellite is over every zone."""
    night_us = at("2026-06-11T01:00", "Europe/London")
    message = decided(marketing(recipients=(NOBODY_KNOWS,)), now_us=night_us)
    assert at("2026-06-11T08:00", "Europe/London") == message.result.transmit_at_us


def test_what_was_refused_before_stays_so() -> None:
    """With its first reason."""
    message = decided(marketing(recipients=(Recipient(phone_number="12"),)))
    assert (Reason.INVALID_RECIPIENT, ()) == (message.result.reason, message.policy)


def test_a_plugin_refuses_every_recipient() -> None:
    """With its name and words, and those that were refused before keep their reason."""
    asked = submission(recipients=(*phones(1), Recipient(phone_number="12")), content=sms())
    first, second = refused_by(planned(asked), Refusal("acme", "no gambling")).messages
    assert (State.REJECTED, Reason.REFUSED_BY_PLUGIN, "acme: no gambling", ()) == (
        first.result.state,
        first.result.reason,
        first.result.detail,
        first.candidates,
    )
    finding = PolicyFinding(PolicyRule.PLUGIN, PolicyOutcome.REFUSED, "no gambling", "acme")
    assert ((finding,), Reason.INVALID_RECIPIENT) == (first.policy, second.result.reason)
