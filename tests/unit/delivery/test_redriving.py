"""Sending again: through intake like any other message, once for each request_id."""

import pytest

from broker.delivery.history import History
from broker.delivery.identities import Identities
from broker.delivery.intake import Intake
from broker.delivery.policies import Policies
from broker.delivery.redriving import Redriver
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.domain.account_policy import AccountPolicy
from broker.domain.directory import Named
from broker.domain.fallback import ChannelFallback
from broker.domain.frequency import FrequencyCap
from broker.domain.ids import first_id_at, format_id
from broker.domain.lifecycle import State
from broker.domain.outcome import Rejected
from broker.domain.quiet_hours import QuietAction, QuietHours
from broker.domain.reaching import Reached
from broker.domain.records import MessageRecord
from broker.domain.submission import Recipient
from broker.domain.vocabulary import Channel, Reason, Traffic
from broker.errors import BrokerError, ErrorReason
from broker.storage.acceptance import Acceptance, accept
from broker.storage.capping import read_promotions
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.store import Store
from broker.testing.builders import (
    DAY_US,
    NOW_US,
    REMEMBER_US,
    SECOND_US,
    ManualClock,
    planned,
    sms_and_email,
    submission,
)
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite import Bench
from broker.testing.store_suite.bench import attempt_at, message_ids
from broker.testing.store_suite.directory_bench import DirectoryBench, by_id


@pytest.fixture
def redriver(store: Store, clock: ManualClock, provider: ScriptedProvider) -> Redriver:
    """Over the test's store, with ids of its own."""
    identities = Identities(store, clock, node=0, last=first_id_at(NOW_US // 1_000 + 1_000))
    mailer = ScriptedProvider(channels=frozenset({Channel.EMAIL}))
    routes = Routes(store, scripted_registry(acme=provider, mailer=mailer), clock, RouteHook((), clock))
    templates = Templates(store, identities, clock, templates_max=10)
    intake = Intake(
        store,
        identities,
        routes,
        templates,
        Policies(store, clock),
        Senders(store, identities, clock, providers=()),
        clock,
        units_max=10,
        request_id_memory_s=86_400.0,
    )
    return Redriver(store, intake, History(store, clock))


async def rejected(bench: Bench) -> int:
    """A message that a provider refused."""
    attempt = await bench.open(client_reference="ref")
    await bench.settle(attempt, Rejected(Reason.REFUSED_BY_PROVIDER))
    return attempt.message_id


async def test_the_new_message_points_to_the_first(redriver: Redriver, bench: Bench) -> None:
    """It is accepted like any other; the first stays as it is."""
    first = await rejected(bench)
    again = await redriver.redrive(1, first, "", 60 * SECOND_US)
    assert (first, State.ACCEPTED, "ref") == (
        again.labels.redriven_from_message_id,
        again.state,
        again.client_reference,
    )
    assert again.accepted_at_us + 60 * SECOND_US == again.expire_at_us
    assert State.REJECTED is await bench.state(first)


async def test_the_same_request_id_sends_again_once(redriver: Redriver, bench: Bench) -> None:
    """Another validity is another request; without an id each call sends."""
    first = await rejected(bench)
    ids = [
        (await redriver.redrive(1, first, request_id, None)).message_id for request_id in ("a", "a", "", "")
    ]
    assert ids[0] == ids[1]
    assert 3 == len(set(ids))
    with pytest.raises(BrokerError) as refusal:
        await redriver.redrive(1, first, "a", SECOND_US)
    assert ErrorReason.REQUEST_ID_REUSED is refusal.value.reason


async def test_a_refusal_names_the_status(redriver: Redriver, bench: Bench) -> None:
    """So that its caller knows what to do instead."""
    (refused,) = await bench.send(recipients=(Recipient(phone_number="12"),))
    first = await rejected(bench)
    await bench.delete(first)
    for message_id, status in ((refused, "REJECTED"), (first, "DELETED")):
        with pytest.raises(BrokerError) as refusal:
            await redriver.redrive(1, message_id, "", None)
        assert ErrorReason.MESSAGE_NOT_REDRIVABLE is refusal.value.reason
        assert {"message_id": format_id(message_id), "status": status} == refusal.value.metadata


async def test_a_strangers_message_is_not_found(redriver: Redriver, bench: Bench) -> None:
    """As one that there is not."""
    first = await rejected(bench)
    for account_id, message_id in ((2, first), (1, 12345)):
        with pytest.raises(BrokerError) as refusal:
            await redriver.redrive(account_id, message_id, "", None)
        assert ErrorReason.MESSAGE_NOT_FOUND is refusal.value.reason


async def failed_everywhere(bench: Bench, after_us: int | None = 60 * SECOND_US) -> int:
    """A message that went on from SMS to email, and was refused on both."""
    attempt = await bench.open(
        recipients=(Recipient(phone_number="+447700900001", email="ada@example.org"),),
        content=sms_and_email(),
        fallback=ChannelFallback(after_us),
    )
    await bench.settle(attempt, Rejected())
    await bench.settle(attempt_at(attempt.message_id, await bench.claim()), Rejected())
    return attempt.message_id


async def test_a_message_with_a_fallback_goes_by_all_of_its_channels_again(
    redriver: Redriver, bench: Bench
) -> None:
    """From the first one on."""
    again = await redriver.redrive(1, await failed_everywhere(bench), "", None)
    assert (State.ACCEPTED, Channel.SMS, (Channel.EMAIL,)) == (
        again.state,
        again.channel,
        again.fallback_channels,
    )


@pytest.mark.parametrize(("validity_s", "fits"), [(61, True), (60, False)])
async def test_a_validity_that_no_other_channel_could_come_in_is_refused(
    redriver: Redriver, bench: Bench, validity_s: int, fits: bool
) -> None:
    """As it is for a request; where only failures count any validity will do."""
    first = await failed_everywhere(bench)
    if fits:
        again = await redriver.redrive(1, first, "", validity_s * SECOND_US)
        assert (Channel.EMAIL,) == again.fallback_channels
        return
    with pytest.raises(BrokerError) as refused:
        await redriver.redrive(1, first, "", validity_s * SECOND_US)
    assert (ErrorReason.INVALID_REQUEST, ["validity"]) == (
        refused.value.reason,
        [each.field for each in refused.value.violations],
    )
    plain = await failed_everywhere(bench, after_us=None)
    assert (Channel.EMAIL,) == (await redriver.redrive(1, plain, "", SECOND_US)).fallback_channels


@pytest.fixture
def people(store: Store) -> DirectoryBench:
    """The directory of account 1."""
    return DirectoryBench(store)


async def advertised(
    redriver: Redriver, bench: Bench, people: DirectoryBench, policy: AccountPolicy, **options: bool
) -> MessageRecord:
    """A promotional message to a contact in Tokyo that a provider refused, sent again under a policy."""
    ada = await people.add(phone_numbers=("+447700900001",), time_zone="Asia/Tokyo")
    asked = submission(
        recipients=(Recipient(contact=Named(by_id(ada.contact_id))),),
        names_contacts=True,
        traffic=Traffic.PROMOTIONAL,
        **options,
    )
    reached = (Reached(0, Recipient("+447700900001"), ada, ada),)
    first = AccountPolicy(frequency_cap=policy.frequency_cap)
    plan = planned(asked, bench.ids.take(2), now_us=bench.now_us, people=reached, policy=first)
    (answer,) = await bench.store.write(accept, [Acceptance(plan, REMEMBER_US)], [1])
    (message_id,) = message_ids(answer)
    await bench.settle(attempt_at(message_id, await bench.claim()), Rejected(Reason.REFUSED_BY_PROVIDER))
    await bench.store.write(set_policies, [NewPolicy(1, policy)], [1])
    again = await redriver.redrive(1, message_id, "", None)
    assert ada.contact_id == again.contact_id
    return again


@pytest.mark.parametrize(
    ("ignores", "expected"),
    [(False, (State.REJECTED, Reason.QUIET_HOURS)), (True, (State.ACCEPTED, None))],
)
async def test_quiet_hours_are_ignored_where_they_were(
    redriver: Redriver,
    bench: Bench,
    people: DirectoryBench,
    ignores: bool,
    expected: tuple[State, Reason | None],
) -> None:
    """Otherwise they are looked at anew, by the contact's clock and not that of its number."""
    minute = (bench.now_us // (60 * SECOND_US) + 9 * 60) % 1_440
    quiet = QuietHours((minute - 60) % 1_440, (minute + 60) % 1_440, action=QuietAction.REFUSE)
    policy = AccountPolicy(quiet_hours=quiet)
    again = await advertised(redriver, bench, people, policy, ignore_quiet_hours=ignores)
    assert expected == (again.state, again.reason)


@pytest.mark.parametrize(
    ("count", "capped", "reason", "counted"),
    [(1, False, None, 2), (1, True, Reason.FREQUENCY_CAP, 1), (2, True, None, 2)],
)
async def test_a_frequency_cap_holds_what_it_held(
    redriver: Redriver,
    bench: Bench,
    people: DirectoryBench,
    count: int,
    capped: bool,
    reason: Reason | None,
    counted: int,
) -> None:
    """What is sent again counts again, as everything that is accepted."""
    policy = AccountPolicy(frequency_cap=FrequencyCap(count, DAY_US))
    again = await advertised(redriver, bench, people, policy, cap_frequency=capped)
    assert reason is again.reason
    assert again.contact_id is not None
    dues = await bench.store.read(read_promotions, 1, [again.contact_id])
    assert counted == len(dues[again.contact_id])
