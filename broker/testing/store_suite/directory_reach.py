# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of sending to the directory: whom submissions reach, and what is kept of it with a message."""

from typing import Any

import pytest

from broker.domain.directory import Contact, ContactRef, DelegateWish, Named
from broker.domain.lifecycle import State
from broker.domain.reaching import Reached, TooManyPeople
from broker.domain.submission import Recipient, Submission
from broker.domain.vocabulary import Channel, Delegation, Reason, Traffic
from broker.storage import people as reading
from broker.storage.acceptance import Acceptance, Repeated, Reused, Stored, accept
from broker.storage.people import Reach, read_reach
from broker.testing.builders import REMEMBER_US, planned, submission
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.directory import DirectoryStore
from broker.testing.store_suite.directory_bench import DirectoryBench, by_external_id, by_id

ALL, PRIORITY = Delegation.ALL_CONTACTS, Delegation.PRIORITY_CONTACT


def to(*refs: ContactRef | Contact, delegation: Delegation = Delegation.DIRECT, **changes: Any) -> Submission:
    """A submission to contacts."""
    named = [by_id(ref.contact_id) if isinstance(ref, Contact) else ref for ref in refs]
    recipients = tuple(Recipient(contact=Named(ref, delegation)) for ref in named)
    return submission(recipients=recipients, names_contacts=True, **changes)


async def reach(people: DirectoryBench, *asked: Submission) -> list[Reach]:
    """Whom each of them reaches."""
    return await people.store.read(read_reach, asked)


async def reached(people: DirectoryBench, asked: Submission) -> tuple[Reached, ...]:
    """Whom it reaches, where these are not too many."""
    (found,) = await reach(people, asked)
    assert isinstance(found, tuple), found
    return found


class WhomCases(DirectoryStore):
    """Who gets a message in whose place."""

    async def test_a_contact_is_reached_at_its_primary_addresses(self, people: DirectoryBench) -> None:
        """By either id, with what it prefers and what else is known."""
        ada = await people.add(
            external_ids=("PL-1",),
            phone_numbers=("+447700900123", "+447700900124"),
            emails=("ada@example.org", "x@example.org"),
            device_tokens=("one", "two"),
            channels=(Channel.EMAIL,),
            properties={"Form": "7B"},
        )
        addresses = Recipient("+447700900123", "ada@example.org", "one")
        expected = Reached(0, addresses, ada, ada)
        for ref in (by_id(ada.contact_id), by_external_id("PL-1")):
            assert (expected,) == await reached(people, to(ref))
        assert (ada.contact_id, (Channel.EMAIL,)) == (expected.contact_id, expected.channels)

    async def test_delegates_are_reached_in_their_order(self, people: DirectoryBench) -> None:
        """All of them, or the one with priority; their own delegates do not matter."""
        aunt = await people.add(phone_numbers=("+447700900003",))
        mother = await people.add(aunt.contact_id, phone_numbers=("+447700900001",))
        father = await people.add(phone_numbers=("+447700900002",))
        wish = DelegateWish(by_id(father.contact_id), priority=True)
        pupil = await people.add(mother.contact_id, wish)
        both = (
            Reached(0, Recipient("+447700900001"), mother, pupil),
            Reached(0, Recipient("+447700900002"), father, pupil),
        )
        assert both == await reached(people, to(pupil, delegation=ALL))
        assert both[1:] == await reached(people, to(pupil, delegation=PRIORITY))

    async def test_who_has_nobody_says_so(self, people: DirectoryBench) -> None:
        """And who is not found, and who is another account's."""
        aunt = await people.add()
        alone, pupil = await people.add(), await people.add(aunt.contact_id)
        stranger = await people.add(account_id=2, external_ids=("PL-1",))
        for delegation in (ALL, PRIORITY):
            (found,) = await reached(people, to(alone, delegation=delegation))
            assert (Reason.NO_DELEGATE, alone.contact_id) == (found.reason, found.contact_id)
        (found,) = await reached(people, to(pupil, delegation=PRIORITY))
        assert Reason.NO_DELEGATE is found.reason
        missing = to(stranger, by_external_id("PL-1"), by_id(12345), delegation=ALL)
        assert [(index, Reason.CONTACT_NOT_FOUND, None) for index in range(3)] == [
            (each.recipient_index, each.reason, each.contact_id) for each in await reached(people, missing)
        ]

    async def test_recipients_keep_their_places(self, people: DirectoryBench) -> None:
        """Those with addresses among contacts; a guardian of two pupils is reached for each of them."""
        mother = await people.add()
        one, two = await people.add(mother.contact_id), await people.add(mother.contact_id)
        recipients = (
            Recipient(contact=Named(by_id(one.contact_id), ALL)),
            Recipient("+447700900009"),
            Recipient(contact=Named(by_id(two.contact_id), ALL)),
            Recipient(contact=Named(by_id(two.contact_id))),
        )
        found = await reached(people, submission(recipients=recipients, names_contacts=True))
        expected = [(0, mother, one), (1, None, None), (2, mother, two), (3, two, two)]
        assert expected == [(each.recipient_index, each.contact, each.asked) for each in found]
        assert "+447700900009" == found[1].recipient.phone_number

    async def test_an_address_of_a_contact_is_kept_whatever_its_card_says(
        self, people: DirectoryBench
    ) -> None:
        """As where a message is sent again: it is for the contact, and goes where the first one went."""
        ada = await people.add(phone_numbers=("+447700900002",))
        recipient = Recipient("+447700900001", contact_id=ada.contact_id)
        asked = submission(recipients=(recipient,), names_contacts=True)
        (found,) = await reached(people, asked)
        assert (recipient, ada, None) == (found.recipient, found.contact, found.reason)

    @pytest.mark.parametrize(("capped", "reason"), [(False, None), (True, Reason.CONTACT_NOT_FOUND)])
    async def test_an_address_outlives_its_contact_unless_it_is_counted_by(
        self, people: DirectoryBench, capped: bool, reason: Reason | None
    ) -> None:
        """Nobody else's contact stands in for it either."""
        gone, theirs = await people.add(), await people.add(account_id=2)
        await people.remove(by_id(gone.contact_id))
        recipients = tuple(Recipient("+447700900001", contact_id=each.contact_id) for each in (gone, theirs))
        asked = submission(
            recipients=recipients, names_contacts=True, cap_frequency=capped, traffic=Traffic.PROMOTIONAL
        )
        assert [(each, None, reason) for each in recipients] == [
            (each.recipient, each.contact, each.reason) for each in await reached(people, asked)
        ]

    async def test_each_account_reaches_its_own(self, people: DirectoryBench) -> None:
        """Two submissions of one call, with the same external id."""
        ours = await people.add(external_ids=("PL-1",))
        theirs = await people.add(account_id=2, external_ids=("PL-1",))
        ref = by_external_id("PL-1")
        found = await reach(people, to(ref), to(ref, account_id=2))
        assert [ours, theirs] == [each[0].contact for each in found if isinstance(each, tuple)]

    async def test_a_submission_reaches_as_many_as_it_may(
        self, people: DirectoryBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And those of a call together, too; one that reaches too many takes no room from the next."""
        monkeypatch.setattr(reading, "PEOPLE_OF_CALL_MAX", 3)
        monkeypatch.setattr(reading, "PEOPLE_OF_FRAME_MAX", 5)
        guardians = [(await people.add()).contact_id for _ in range(4)]
        four, two = await people.add(*guardians), await people.add(*guardians[:2])
        found = await reach(people, *(to(each, delegation=ALL) for each in (four, two, two, two)))
        assert [TooManyPeople(4, 3), 2, 2, TooManyPeople(2, 1)] == [
            len(each) if isinstance(each, tuple) else each for each in found
        ]


class KeptCases(DirectoryStore):
    """What the store keeps of a message to a contact."""

    async def send(self, bench: Bench, people: DirectoryBench, asked: Submission) -> Any:
        """Accept a submission to contacts."""
        found = await reached(people, asked)
        plan = planned(asked, bench.ids.take(1 + len(found)), people=found)
        item = Acceptance(plan, REMEMBER_US)
        (answer,) = await bench.store.write(accept, [item], [asked.account_id])
        return answer

    async def test_a_message_keeps_its_contact(self, bench: Bench, people: DirectoryBench) -> None:
        """Shown with it, in lists and on every event; also of those that were refused."""
        mother = await people.add(phone_numbers=("+447700900001",))
        father = await people.add()
        pupil = await people.add(mother.contact_id, father.contact_id)
        answer = await self.send(bench, people, to(pupil, by_id(12345), delegation=ALL))
        expected = [
            (0, mother.contact_id, State.ACCEPTED, None),
            (0, father.contact_id, State.REJECTED, Reason.NO_ADDRESS),
            (1, None, State.REJECTED, Reason.CONTACT_NOT_FOUND),
        ]
        assert expected == [
            (each.recipient_index, each.contact_id, each.state, each.reason) for each in answer.results
        ]
        contacts = [mother.contact_id, father.contact_id, None]
        ids = [each.message_id for each in answer.results]
        assert contacts == [(await bench.message(each)).contact_id for each in ids]
        assert contacts == [each.contact_id for each in await bench.events()]

    async def test_the_history_of_a_contact_outlives_it(self, bench: Bench, people: DirectoryBench) -> None:
        """Newest first, page by page, with the other filters, and for its own account only."""
        ada = await people.add(phone_numbers=("+447700900001",))
        bob = await people.add(phone_numbers=("+447700900002",))
        sent = []
        for number in range(5):
            answer = await self.send(bench, people, to(bob if number == 2 else ada))
            sent.append(answer.results[0].message_id)
        await bench.cancel(sent[0])
        await people.remove(by_id(ada.contact_id))

        ours: dict[str, Any] = {"page_size": 2, "contact_id": ada.contact_id}
        assert [[sent[4], sent[3]], [sent[1], sent[0]], []] == await bench.pages(**ours)
        assert [[sent[0]]] == await bench.pages(**ours, states=frozenset({State.CANCELLED}))
        assert [[]] == await bench.pages(2, **ours)

    async def test_a_repeat_is_answered_as_before_whatever_the_directory_says(
        self, bench: Bench, people: DirectoryBench
    ) -> None:
        """(I2): the request is the same, though it would reach somebody else now."""
        mother = await people.add(phone_numbers=("+447700900001",))
        father = await people.add(phone_numbers=("+447700900002",))
        pupil = await people.add(mother.contact_id)
        asked = to(pupil, delegation=ALL, request_id="r1")
        first = await self.send(bench, people, asked)
        assert isinstance(first, Stored)
        await people.save(people.change(by_id(pupil.contact_id), father.contact_id, mother.contact_id))
        assert Repeated(first.results) == await self.send(bench, people, asked)
        other = to(pupil, delegation=PRIORITY, request_id="r1")
        assert Reused("r1") == await self.send(bench, people, other)


class ReachCases(WhomCases, KeptCases):
    """Sending to the directory."""
