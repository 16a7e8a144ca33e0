# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of contacts: what can be added, changed, removed and found."""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.directory import ContactRef, Delegate, DelegateWish
from broker.domain.vocabulary import Channel
from broker.storage import contacts
from broker.storage.contacts import (
    BadDelegate,
    ContactMoved,
    DelegateProblem,
    DirectoryFull,
    ExternalIdTaken,
    NoSuchContact,
    RemovedContact,
    SavedContact,
)
from broker.storage.store import Store
from broker.testing.builders import NOW_US, SECOND_US
from broker.testing.store_suite.directory_bench import DirectoryBench, by_external_id, by_id
from broker.testing.store_suite.opening import OpenedStore

EVERYTHING: dict[str, Any] = {
    "external_ids": ("PL-1", "42"),
    "title": "Dr",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "organisation": "Analytical Society",
    "phone_numbers": ("+447700900123", "+447700900124"),
    "emails": ("Ada@example.org",),
    "device_tokens": ("token",),
    "channels": (Channel.EMAIL, Channel.SMS),
    "locale": "en-GB",
    "time_zone": "Europe/London",
    "properties": {"Form": "7B", "Seat": "é"},
}
"""A card with every field."""


class DirectoryStore(OpenedStore):
    """What the directory's cases stand on."""

    @pytest.fixture
    def people(self, store: Store) -> DirectoryBench:
        """The directory's verbs, at NOW_US."""
        return DirectoryBench(store)


class SavingCases(DirectoryStore):
    """Adding and changing contacts."""

    async def test_a_contact_is_read_as_it_was_written(self, people: DirectoryBench) -> None:
        """Every field, by the broker's id and by each of the caller's."""
        guardian = await people.add()
        wish = DelegateWish(by_id(guardian.contact_id), "mother", priority=True)
        pupil = await people.add(wish, **EVERYTHING)
        assert (1, 1, NOW_US, NOW_US) == (
            pupil.account_id,
            pupil.version,
            pupil.created_at_us,
            pupil.updated_at_us,
        )
        assert (Delegate(guardian.contact_id, "mother", priority=True),) == pupil.delegates
        for ref in (by_id(pupil.contact_id), by_external_id("PL-1"), by_external_id("42")):
            assert pupil == await people.contact(ref)

    async def test_a_change_touches_the_named_fields_only(self, people: DirectoryBench) -> None:
        """Also to nothing; the version counts, and the time of creation stays."""
        before = await people.add(**EVERYTHING)
        people.wait(5)
        wish = people.change(
            by_id(before.contact_id), fields=frozenset({"title", "emails"}), emails=("ada@example.com",)
        )
        after = await people.saved(wish)
        card = replace(before.card, title="", emails=("ada@example.com",))
        expected = replace(before, version=2, updated_at_us=NOW_US + 5 * SECOND_US, card=card)
        assert expected == after == await people.contact(before.contact_id)

    async def test_a_change_that_changes_nothing_is_no_version(self, people: DirectoryBench) -> None:
        """So that a nightly import of the same list moves nothing."""
        before = await people.add(**EVERYTHING)
        people.wait(5)
        assert before == await people.saved(people.change(by_external_id("42"), **EVERYTHING))

    async def test_a_change_needs_the_version_that_it_names(self, people: DirectoryBench) -> None:
        """Who was slower is told, and nothing of it is written."""
        contact = await people.add(first_name="Ada")
        ref = by_id(contact.contact_id)
        first = people.change(ref, version=1, first_name="Grace")
        second = people.change(ref, version=1, first_name="Jean")
        answers = await people.save(first, second)
        assert isinstance(answers[0], SavedContact)
        assert ContactMoved() == answers[1]
        found = await people.contact(ref)
        assert found is not None
        assert ("Grace", 2) == (found.card.first_name, found.version)

    async def test_a_change_of_nobody_says_so(self, people: DirectoryBench) -> None:
        """By either id; another account's contact is nobody."""
        theirs = await people.add(account_id=2, external_ids=("PL-1",))
        for ref in (by_id(theirs.contact_id), by_external_id("PL-1"), by_id(12345)):
            assert [NoSuchContact()] == await people.save(people.change(ref, first_name="Eve"))
        assert theirs == await people.contact(theirs.contact_id, account_id=2)

    async def test_a_change_can_add_who_is_missing(self, people: DirectoryBench) -> None:
        """Once: the second time there is somebody to change."""
        ref = by_external_id("PL-1")
        items = [
            people.change(ref, title=title, otherwise=people.new(external_ids=("PL-1",), title=title))
            for title in ("Mr", "Dr")
        ]
        answers = await people.save(*items)
        assert ["Mr", "Dr"] == [each.contact.card.title for each in answers if isinstance(each, SavedContact)]
        assert [("PL-1",)] == [
            found.card.external_ids for found in [await people.contact(ref)] if found is not None
        ]
        assert 1 == len(await people.listed())

    async def test_an_external_id_has_one_owner(self, people: DirectoryBench) -> None:
        """Among those stored and those of the same call; another account may use it too."""
        owner = await people.add(external_ids=("PL-1",))
        first, second = people.new(external_ids=("PL-2",)), people.new(external_ids=("PL-3", "PL-2"))
        taken = ExternalIdTaken("PL-1", owner.contact_id)
        answers = await people.save(people.new(external_ids=("PL-1",)), first, second)
        assert [taken, ExternalIdTaken("PL-2", first.contact_id)] == [answers[0], answers[2]]
        change = people.change(by_id(first.contact_id), external_ids=("PL-1",))
        assert [taken] == await people.save(change)
        await people.add(account_id=2, external_ids=("PL-1",))

    async def test_an_external_id_can_be_given_on(self, people: DirectoryBench) -> None:
        """Once its owner has let go of it, also within a call."""
        old = await people.add(external_ids=("PL-1",))
        new = await people.add()
        await people.save(
            people.change(by_id(old.contact_id), external_ids=("PL-9",)),
            people.change(by_id(new.contact_id), external_ids=("PL-1",)),
        )
        for external_id, owner in (("PL-1", new), ("PL-9", old)):
            found = await people.contact(by_external_id(external_id))
            assert found is not None
            assert owner.contact_id == found.contact_id

    async def test_an_account_has_as_many_contacts_as_it_may(self, people: DirectoryBench) -> None:
        """Counted within a call too; who goes makes room, and other accounts have their own count."""
        items = [people.new(contacts_max=2) for _ in range(3)]
        answers = await people.save(*items)
        assert DirectoryFull(2) == answers[2]
        assert [DirectoryFull(2)] == await people.save(people.new(contacts_max=2))
        await people.save(people.new(account_id=2, contacts_max=2))
        assert RemovedContact() == await people.remove(by_id(items[0].contact_id))
        (answer,) = await people.save(people.new(contacts_max=2))
        assert isinstance(answer, SavedContact)


class DelegateCases(DirectoryStore):
    """Who stands in for whom."""

    async def test_delegates_keep_their_order(self, people: DirectoryBench) -> None:
        """Named by either id, also when they were added in the same call."""
        ids = [people.new(external_ids=(f"PC-{number}",)) for number in range(3)]
        wishes: list[DelegateWish | int] = [
            DelegateWish(by_external_id("PC-2"), "father"),
            ids[0].contact_id,
            ids[1].contact_id,
        ]
        pupil = people.new(*wishes)
        await people.save(*ids, pupil)
        found = await people.contact(pupil.contact_id)
        assert found is not None
        expected = (
            Delegate(ids[2].contact_id, "father"),
            Delegate(ids[0].contact_id),
            Delegate(ids[1].contact_id),
        )
        assert expected == found.delegates

    async def test_a_delegate_must_be_another_contact_of_the_account(self, people: DirectoryBench) -> None:
        """Named once; the first bad one is told by its place, and nothing is written."""
        guardian = await people.add(external_ids=("PC-1",))
        stranger = await people.add(account_id=2)
        pupil = await people.add()
        ours, theirs, self_ = guardian.contact_id, stranger.contact_id, pupil.contact_id
        ref = by_id(self_)
        for wishes, expected in (
            ((ours, theirs), BadDelegate(1, DelegateProblem.UNKNOWN)),
            ((DelegateWish(by_external_id("PC-2")),), BadDelegate(0, DelegateProblem.UNKNOWN)),
            ((ours, self_), BadDelegate(1, DelegateProblem.ITSELF)),
            ((ours, DelegateWish(by_external_id("PC-1"))), BadDelegate(1, DelegateProblem.REPEATED)),
        ):
            assert [expected] == await people.save(people.change(ref, *wishes))
        assert pupil == await people.contact(ref)

    async def test_a_change_of_delegates_replaces_them(self, people: DirectoryBench) -> None:
        """And a change of anything else leaves them."""
        one, two = await people.add(), await people.add()
        pupil = await people.add(one.contact_id)
        ref = by_id(pupil.contact_id)
        kept = await people.saved(people.change(ref, title="Miss"))
        assert (Delegate(one.contact_id),) == kept.delegates
        changed = await people.saved(people.change(ref, two.contact_id, one.contact_id))
        assert (Delegate(two.contact_id), Delegate(one.contact_id)) == changed.delegates
        emptied = await people.saved(people.change(ref, fields=frozenset({"delegates"})))
        assert emptied == await people.contact(ref)
        assert () == emptied.delegates

    async def test_who_is_removed_stands_in_for_nobody(self, people: DirectoryBench) -> None:
        """Others who stand in stay."""
        one, two = await people.add(), await people.add()
        pupil = await people.add(one.contact_id, two.contact_id)
        await people.remove(by_id(one.contact_id))
        found = await people.contact(pupil.contact_id)
        assert found is not None
        assert (Delegate(two.contact_id),) == found.delegates

    async def test_a_contact_stands_in_for_as_many_as_it_may(
        self, people: DirectoryBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who has it already keeps it."""
        monkeypatch.setattr(contacts, "DELEGATORS_MAX", 2)
        guardian = (await people.add()).contact_id
        first, second, third = (people.new(guardian) for _ in range(3))
        answers = await people.save(first, second, third)
        assert BadDelegate(0, DelegateProblem.OVERLOADED) == answers[2]
        again = people.change(by_id(first.contact_id), DelegateWish(by_id(guardian), "aunt"))
        assert (Delegate(guardian, "aunt"),) == (await people.saved(again)).delegates


class RemovalCases(DirectoryStore):
    """Removing contacts."""

    async def test_a_removed_contact_is_found_nowhere(self, people: DirectoryBench) -> None:
        """Its external ids are free, and its groups are smaller."""
        contact = await people.add(**EVERYTHING)
        group = await people.group("Year 7", contact)
        assert RemovedContact() == await people.remove(by_external_id("PL-1"))
        assert await people.contact(contact.contact_id) is None
        for wanted in (
            {"external_id": "PL-1"},
            {"phone_number": "+447700900123"},
            {"email": "ada@example.org"},
            {"name_prefix": "ada"},
            {"group_id": group.group_id},
        ):
            assert [] == await people.listed(**wanted)
        smaller = await people.read_group(group.group_id)
        assert smaller is not None
        assert (1, 0) == (group.member_count, smaller.member_count)
        await people.add(**EVERYTHING)

    async def test_only_what_is_there_can_be_removed(self, people: DirectoryBench) -> None:
        """At the version that is named, once, and by its own account."""
        contact = await people.add(external_ids=("PL-1",))
        ref = by_id(contact.contact_id)
        assert ContactMoved() == await people.remove(ref, version=2)
        assert NoSuchContact() == await people.remove(ref, account_id=2)
        assert NoSuchContact() == await people.remove(by_external_id("PL-1"), account_id=2)
        assert RemovedContact() == await people.remove(ref, version=1)
        assert NoSuchContact() == await people.remove(ref)


class FindingCases(DirectoryStore):
    """Lists of contacts."""

    async def test_pages_go_in_the_order_of_creation(self, people: DirectoryBench) -> None:
        """Each contact once, and only the account's."""
        ours = [(await people.add(account_id=1 + number % 2)).contact_id for number in range(10)][::2]
        pages = await people.pages(page_size=2)
        assert ours == [each for page in pages for each in page]
        assert 2 == max(map(len, pages))

    async def test_an_empty_directory_has_one_empty_page(self, people: DirectoryBench) -> None:
        """And no next one."""
        assert [[]] == await people.pages()

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("ada", ["Ada Byron", "ADA Lovelace"]),
            ("Ada L", ["ADA Lovelace"]),
            ("lovelace ada", ["ADA Lovelace"]),
            ("byron", ["Ada Byron", "Byron Byron"]),
            ("STRASSE", ["Ida Straße"]),
            ("e\u0301mile", ["\u00c9mile Z"]),
            ("love ", ["ADA Lovelace"]),
            ("z", ["\u00c9mile Z"]),
            ("%", []),
        ],
    )
    async def test_names_are_found_by_how_they_begin(
        self, people: DirectoryBench, prefix: str, expected: list[str]
    ) -> None:
        """First or last name first, in their order, each contact once."""
        names = {}
        for first, last in (
            ("ADA", "Lovelace"),
            ("Ada", "Byron"),
            ("Byron", "Byron"),
            ("Ida", "Straße"),
            ("\u00c9mile", "Z"),
        ):
            contact = await people.add(first_name=first, last_name=last)
            names[contact.contact_id] = f"{first} {last}"
        await people.add(account_id=2, first_name="Ada", last_name="Elsewhere")
        for page_size in (100, 1):
            found = await people.listed(name_prefix=prefix, page_size=page_size)
            assert expected == [names[each] for each in found]

    async def test_a_contact_with_two_fitting_names_comes_once(self, people: DirectoryBench) -> None:
        """Whatever the size of the pages."""
        both = await people.add(first_name="Ann", last_name="Anning", organisation="Annals")
        other = await people.add(first_name="Anna")
        for page_size in (1, 2, 100):
            found = await people.listed(name_prefix="ann", page_size=page_size)
            assert {both.contact_id, other.contact_id} == set(found)
            assert 2 == len(found)

    async def test_a_contact_is_found_by_each_of_its_addresses(self, people: DirectoryBench) -> None:
        """Whole ones; the case of a mailbox does not matter, and several contacts may share one."""
        one = await people.add(**EVERYTHING)
        two = await people.add(phone_numbers=("+447700900124",), emails=("x@example.org",))
        expected = [one.contact_id, two.contact_id]
        assert expected == await people.listed(phone_number="+447700900124")
        assert expected == await people.listed(phone_number="+447700900124", page_size=1)
        assert expected[:1] == await people.listed(email="aDA@example.org")
        assert [] == await people.listed(phone_number="+4477009001")

    async def test_all_fields_of_a_filter_have_to_match(self, people: DirectoryBench) -> None:
        """Whichever of them leads the search."""
        ada = await people.add(**EVERYTHING)
        bob = await people.add(
            first_name="Bob", phone_numbers=("+447700900124",), emails=("bob@example.org",)
        )
        group = await people.group("Year 7", ada, bob)
        wanted = {"phone_number": "+447700900124", "group_id": group.group_id}
        assert [ada.contact_id, bob.contact_id] == await people.listed(**wanted)
        assert [bob.contact_id] == await people.listed(**wanted, name_prefix="bob")
        assert [bob.contact_id] == await people.listed(**wanted, email="bob@example.org")
        assert [ada.contact_id] == await people.listed(**wanted, external_id="42")
        assert [] == await people.listed(**wanted, external_id="42", name_prefix="bob")
        assert [] == await people.listed(external_id="42", group_id=12345)
        assert [bob.contact_id] == await people.listed(group_id=group.group_id, name_prefix="b", page_size=1)

    async def test_nobody_is_found_from_another_account(self, people: DirectoryBench) -> None:
        """By nothing that they have."""
        contact = await people.add(**EVERYTHING)
        group = await people.group("Year 7", contact)
        assert await people.contact(contact.contact_id, account_id=2) is None
        assert await people.contact(ContactRef(external_id="PL-1"), account_id=2) is None
        for wanted in (
            {},
            {"external_id": "PL-1"},
            {"phone_number": "+447700900123"},
            {"email": "ada@example.org"},
            {"name_prefix": "ada"},
            {"group_id": group.group_id},
        ):
            assert [] == await people.listed(account_id=2, **wanted)


class ContactCases(SavingCases, DelegateCases, RemovalCases, FindingCases):
    """Contacts."""
