"""Frequency caps from a request to its end: the directory, Explain, validate_only and broadcasts, over a real store."""

from typing import Any

import pytest

from broker.delivery.identities import Identities
from broker.delivery.intake import Intake
from broker.delivery.policies import Policies
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.domain.account_policy import AccountPolicy
from broker.domain.admission import NO_CAP
from broker.domain.directory import Named
from broker.domain.frequency import FrequencyCap
from broker.domain.plan import PolicyFinding, PolicyOutcome, PolicyRule
from broker.domain.submission import Recipient, Result, Submission
from broker.domain.vocabulary import Delegation, Reason, Traffic
from broker.storage.capping import read_promotions
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.store import Store
from broker.testing.builders import DAY_US, ManualClock, submission
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite.directory_bench import DirectoryBench, by_id

TWO_A_DAY = AccountPolicy(frequency_cap=FrequencyCap(2, DAY_US))


@pytest.fixture
def intake(store: Store, clock: ManualClock) -> Intake:
    """One without plugins."""
    identities = Identities(store, clock, node=0, last=0)
    return Intake(
        store,
        identities,
        Routes(store, scripted_registry(acme=ScriptedProvider()), clock, RouteHook((), clock)),
        Templates(store, identities, clock, templates_max=10),
        Policies(store, clock),
        Senders(store, identities, clock, providers=()),
        clock,
        units_max=10,
        request_id_memory_s=86_400.0,
    )


@pytest.fixture
async def people(store: Store) -> DirectoryBench:
    """The directory of account 1, which allows two promotional messages a day."""
    await store.write(set_policies, [NewPolicy(1, TWO_A_DAY)], [1])
    return DirectoryBench(store)


def advertisement(
    *contact_ids: int, delegation: Delegation = Delegation.DIRECT, **changes: Any
) -> Submission:
    """A promotional message that is held to the cap."""
    fields: dict[str, Any] = {"traffic": Traffic.PROMOTIONAL, "cap_frequency": True, "names_contacts": True}
    recipients = tuple([Recipient(contact=Named(by_id(each), delegation)) for each in contact_ids])
    return submission(recipients=recipients, **(fields | changes))


async def results_of(intake: Intake, asked: Submission) -> list[Result]:
    """What becomes of each recipient."""
    (answer,) = await intake.accept([asked])
    assert not isinstance(answer, BaseException), answer
    return list(answer)


async def reasons(intake: Intake, asked: Submission) -> list[Reason | None]:
    """Why each recipient was refused."""
    return [each.reason for each in await results_of(intake, asked)]


async def test_the_third_of_a_day_is_refused(
    intake: Intake, people: DirectoryBench, clock: ManualClock
) -> None:
    """And goes again when the first is a day old."""
    ann = await people.add(phone_numbers=("+447700900101",))
    asked = advertisement(ann.contact_id)
    assert [None] == await reasons(intake, asked)
    clock.advance(3_600)
    assert [None] == await reasons(intake, asked)
    assert [Reason.FREQUENCY_CAP] == await reasons(intake, asked)
    clock.advance(86_400 - 3_600)
    assert [None, Reason.FREQUENCY_CAP] == [*await reasons(intake, asked), *await reasons(intake, asked)]


async def test_who_stands_in_for_several_gets_as_many_as_anybody(
    intake: Intake, people: DirectoryBench
) -> None:
    """What counts is who gets it: one guardian of three pupils has two of their three messages."""
    guardian = await people.add(phone_numbers=("+447700900102",))
    pupils = [await people.add(guardian.contact_id, phone_numbers=(f"+44770090011{n}",)) for n in range(3)]
    asked = advertisement(*[each.contact_id for each in pupils], delegation=Delegation.ALL_CONTACTS)
    assert [None, None, Reason.FREQUENCY_CAP] == await reasons(intake, asked)


async def test_explain_and_validate_only_tell_and_count_nothing(
    intake: Intake, people: DirectoryBench, store: Store
) -> None:
    """What they say is what a Send gets."""
    ann = await people.add(phone_numbers=("+447700900103",))
    asked = advertisement(ann.contact_id, ann.contact_id, ann.contact_id)
    only = advertisement(ann.contact_id, ann.contact_id, ann.contact_id, validate_only=True)
    for _ in range(2):
        assert [None, None, Reason.FREQUENCY_CAP] == await reasons(intake, only)
        first, second, third = await intake.explain(asked)
        rule = PolicyRule.FREQUENCY_CAP
        assert (PolicyFinding(rule, PolicyOutcome.ALLOWED, "the contact has 0 of 2 in 1 d"),) == first.policy
        assert (PolicyFinding(rule, PolicyOutcome.ALLOWED, "the contact has 1 of 2 in 1 d"),) == second.policy
        problem = f"{Reason.FREQUENCY_CAP.value}: 2 of 2 in 1 d"
        assert (PolicyFinding(rule, PolicyOutcome.REFUSED, problem),) == third.policy
        assert (Reason.FREQUENCY_CAP, problem) == (third.result.reason, third.result.detail)
        assert third.considered, "the routes are told all the same"
    assert {} == await store.read(read_promotions, 1, [ann.contact_id])


async def test_explain_tells_that_a_message_counts_without_being_held(
    intake: Intake, people: DirectoryBench
) -> None:
    """The request did not ask for the cap."""
    ann = await people.add(phone_numbers=("+447700900104",))
    (explained,) = await intake.explain(advertisement(ann.contact_id, cap_frequency=False))
    assert [(PolicyRule.FREQUENCY_CAP, PolicyOutcome.IGNORED)] == [
        (each.rule, each.outcome) for each in explained.policy
    ]
    (plain,) = await intake.explain(advertisement(ann.contact_id, traffic=Traffic.TRANSACTIONAL))
    assert () == plain.policy


async def test_an_account_without_a_cap_is_warned(
    intake: Intake, people: DirectoryBench, store: Store
) -> None:
    """The message goes: there is nothing to hold it to."""
    ann = await people.add(account_id=2, phone_numbers=("+447700900105",))
    (result,) = await results_of(intake, advertisement(ann.contact_id, account_id=2))
    assert (None, (NO_CAP,)) == (result.reason, result.warnings)
    (explained,) = await intake.explain(advertisement(ann.contact_id, account_id=2))
    assert (PolicyFinding(PolicyRule.FREQUENCY_CAP, PolicyOutcome.ALLOWED, NO_CAP),) == explained.policy
    assert {} == await store.read(read_promotions, 2, [ann.contact_id])
