"""Senders over a real store: what intake sends from, at once after they change."""

import asyncio
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
from broker.domain.directory import ContactRef, Named
from broker.domain.explaining import Verdict
from broker.domain.sender import POOL_SENDERS_MAX, SENDERS_MAX, Sender, SenderCapability, SenderDraft
from broker.domain.sender_pool import recipient_key
from broker.domain.submission import Recipient, Result
from broker.domain.vocabulary import Delegation, Reason
from broker.errors import BrokerError, ErrorReason
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.senders import ChoiceWish, NewSender, add_senders, read_choices
from broker.storage.store import Store
from broker.testing.builders import ManualClock, phones, submission
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite.directory_bench import DirectoryBench

AMERICAN, OTHER, TOLL_FREE = "+12025550123", "+12025550124", "+18005550199"


class Office:
    """An account's senders, and an intake that sends from them; the instances are "acme" and "west"."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store = store
        identities = Identities(store, clock, node=0, last=0)
        registry = scripted_registry(acme=ScriptedProvider(), west=ScriptedProvider())
        self.senders = Senders(store, identities, clock, providers={"acme", "west"})
        self.intake = Intake(
            store,
            identities,
            Routes(store, registry, clock, RouteHook((), clock)),
            Templates(store, identities, clock, templates_max=10),
            Policies(store, clock),
            self.senders,
            clock,
            units_max=10,
            request_id_memory_s=86_400.0,
        )

    async def add(self, value: str, account_id: int = 1, **wishes: Any) -> Sender:
        """Register a sender."""
        return await self.senders.create(account_id, SenderDraft(value, **wishes))

    async def send(self, **asked: Any) -> list[Result]:
        """The results of one submission."""
        (answer,) = await self.intake.accept([submission(**asked)])
        assert not isinstance(answer, BrokerError), answer
        return list(answer)

    async def sent_from(self, **asked: Any) -> str | Reason:
        """The sender of one message, or why it was refused."""
        (result,) = await self.send(**asked)
        return result.reason or result.sender


@pytest.fixture
def office(store: Store, clock: ManualClock) -> Office:
    """Over the test's store."""
    return Office(store, clock)


async def test_an_account_without_senders_sends_from_any(office: Office) -> None:
    """As one that has some does from others."""
    assert "Shop" == await office.sent_from(sender="Shop")
    await office.add(AMERICAN)
    assert "Shop" == await office.sent_from(sender="Shop")


async def test_a_sender_is_used_as_soon_as_it_is_registered_and_no_longer_than_it_is(office: Office) -> None:
    """By the account that it belongs to."""
    assert "" == await office.sent_from()
    made = await office.add(AMERICAN, default=True)
    assert AMERICAN == await office.sent_from()
    assert "" == await office.sent_from(account_id=2)
    await office.senders.delete(1, made.sender_id)
    assert "" == await office.sent_from()


async def test_what_another_process_left_is_known_from_the_start(
    office: Office, store: Store, clock: ManualClock
) -> None:
    """As after a restart."""
    await office.add(AMERICAN, default=True)
    assert AMERICAN == await Office(store, clock).sent_from()


async def test_an_account_may_send_from_registered_senders_alone(office: Office, clock: ManualClock) -> None:
    """By its policy, also before it has any; the empty sender stays the provider's own."""
    await office.store.write(set_policies, [NewPolicy(1, AccountPolicy(senders_registered_only=True))], [1])
    assert Reason.SENDER_NOT_REGISTERED is await office.sent_from(sender=AMERICAN)
    assert "" == await office.sent_from()
    await office.add(AMERICAN)
    assert AMERICAN == await office.sent_from(sender=AMERICAN)
    assert Reason.SENDER_NOT_REGISTERED is await office.sent_from(sender=OTHER)
    assert OTHER == await office.sent_from(sender=OTHER, account_id=2)


async def test_a_recipient_of_a_pool_hears_from_the_same_sender_when_the_pool_grows(office: Office) -> None:
    """Whatever the hash says of the new members: who has been written to is remembered."""
    await office.add(AMERICAN, pool="care")
    asked = {"recipients": phones(20), "sender_pool": "care"}
    assert [AMERICAN] * 20 == [each.sender for each in await office.send(**asked)]
    await office.add(OTHER, pool="care")
    assert [AMERICAN] * 20 == [each.sender for each in await office.send(**asked)]
    newcomers = tuple(Recipient(phone_number=f"+4477009{number:05}") for number in range(500, 540))
    chosen = {each.sender for each in await office.send(recipients=newcomers, sender_pool="care")}
    assert {AMERICAN, OTHER} == chosen


async def test_a_recipient_of_a_pool_gets_another_sender_when_its_own_is_gone(office: Office) -> None:
    """And stays with that one, also when the first comes back."""
    first = await office.add(AMERICAN, pool="care")
    assert AMERICAN == await office.sent_from(sender_pool="care")
    await office.senders.delete(1, first.sender_id)
    assert Reason.SENDER_POOL_UNUSABLE is await office.sent_from(sender_pool="care")
    await office.add(OTHER, pool="care")
    assert OTHER == await office.sent_from(sender_pool="care")
    await office.add(AMERICAN, pool="care")
    assert [OTHER] * 3 == [await office.sent_from(sender_pool="care") for _ in range(3)]


async def test_a_rehearsal_remembers_no_choice(office: Office) -> None:
    """Nor does an explanation; both tell what would be chosen."""
    await office.add(AMERICAN, pool="care")
    assert AMERICAN == await office.sent_from(sender_pool="care", validate_only=True)
    (explained,) = await office.intake.explain(submission(sender_pool="care"))
    assert AMERICAN == explained.result.sender
    key = recipient_key(1, "care", phones(1)[0].phone_number or "")
    assert [{}] == await office.store.read(read_choices, [ChoiceWish(1, "care", [key])])
    await office.send(sender_pool="care")
    assert [{key: AMERICAN}] == await office.store.read(read_choices, [ChoiceWish(1, "care", [key])])


async def test_contacts_of_a_pool_keep_their_senders_by_address(office: Office, store: Store) -> None:
    """However they are named."""
    directory = DirectoryBench(store)
    contact = await directory.add(phone_numbers=("+447700900000",))
    await office.add(AMERICAN, pool="care")
    person = Recipient(contact=Named(ContactRef(contact.contact_id), Delegation.DIRECT))
    named = {"recipients": (person,), "names_contacts": True, "sender_pool": "care"}
    assert AMERICAN == await office.sent_from(**named)
    await office.add(OTHER, pool="care")
    await office.add(OTHER[:-1] + "5", pool="care")
    assert AMERICAN == await office.sent_from(**named)
    assert AMERICAN == await office.sent_from(recipients=phones(1), sender_pool="care")


async def test_a_message_goes_through_the_providers_of_its_sender(office: Office) -> None:
    """The explanation says why another one lost."""
    await office.add(AMERICAN, providers=("west",))
    (explained,) = await office.intake.explain(submission(sender=AMERICAN))
    verdicts = {each.judgement.route.provider: each.judgement.verdict for each in explained.considered}
    assert {"west": Verdict.CHOSEN, "acme": Verdict.SENDER_NOT_USABLE} == verdicts
    (free,) = await office.intake.explain(submission(sender="Shop"))
    verdicts = {each.judgement.route.provider: each.judgement.verdict for each in free.considered}
    assert {"acme": Verdict.CHOSEN, "west": Verdict.STANDBY} == verdicts


async def test_an_explanation_is_about_the_sender_that_is_chosen(office: Office) -> None:
    """Not about the members of the pool that were passed over."""
    await office.add(AMERICAN, pool="care", providers=("west",))
    (explained,) = await office.intake.explain(submission(sender_pool="care"))
    assert 2 == len(explained.considered)
    assert {"west"} == {
        each.judgement.route.provider
        for each in explained.considered
        if each.judgement.verdict is Verdict.CHOSEN
    }


async def test_a_sender_that_breaks_a_rule_is_refused_with_its_fields(office: Office) -> None:
    """Paths begin at the request."""
    with pytest.raises(BrokerError) as refused:
        await office.add("12345", providers=("nobody",))
    assert ErrorReason.INVALID_REQUEST is refused.value.reason
    assert ["sender.country", "sender.providers[0]"] == [each.field for each in refused.value.violations]


async def test_a_sender_is_registered_once_and_removed_once(office: Office) -> None:
    """By its own account."""
    made = await office.add(AMERICAN)
    with pytest.raises(BrokerError) as taken:
        await office.add(AMERICAN, tags=("other",))
    assert ErrorReason.SENDER_EXISTS is taken.value.reason
    with pytest.raises(BrokerError) as stranger:
        await office.senders.delete(2, made.sender_id)
    assert ErrorReason.SENDER_NOT_FOUND is stranger.value.reason
    await office.senders.delete(1, made.sender_id)
    with pytest.raises(BrokerError) as gone:
        await office.senders.delete(1, made.sender_id)
    assert ErrorReason.SENDER_NOT_FOUND is gone.value.reason


@pytest.mark.parametrize(("pool", "allowed"), [("", SENDERS_MAX), ("care", POOL_SENDERS_MAX)])
async def test_an_account_and_a_pool_have_their_limits(office: Office, pool: str, allowed: int) -> None:
    """The last one fits, the next does not."""
    able = frozenset({SenderCapability.SMS})
    first = await office.add(AMERICAN, pool=pool)
    items = [
        NewSender(
            Sender(number, 1, f"+1202556{number:04}", first.kind, "US", able, pool=pool), allowed, allowed
        )
        for number in range(1, allowed - 1)
    ]
    await office.store.write(add_senders, items, [1])
    await office.add("+12025570000", pool=pool)
    with pytest.raises(BrokerError) as full:
        await office.add("+12025570001", pool=pool)
    assert (ErrorReason.SENDERS_FULL, str(allowed)) == (
        full.value.reason,
        full.value.metadata["allowed"],
    )
    assert allowed == len(await office.senders.of(1))


async def test_a_caller_who_goes_away_leaves_nothing_stale(office: Office) -> None:
    """What it wrote is stored, and the next message is from it."""
    assert "" == await office.sent_from()
    going = asyncio.create_task(office.add(AMERICAN, default=True))
    await asyncio.sleep(0)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    async with asyncio.timeout(5):
        while not await office.senders.of(1):  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.01)
    assert AMERICAN == await office.sent_from()


async def test_a_refusal_for_the_sender_is_the_recipients_alone(office: Office) -> None:
    """It has an id, a reason and words for people."""
    people = (Recipient(phone_number="+12025550150"), Recipient(phone_number="+447700900123"))
    there, abroad = await office.send(recipients=people, sender=TOLL_FREE)
    assert (None, Reason.SENDER_WRONG_KIND) == (there.reason, abroad.reason)
    assert abroad.message_id is not None
