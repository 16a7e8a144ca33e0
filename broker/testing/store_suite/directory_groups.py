# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of groups: what can be added, changed and removed, and who is in them."""

from dataclasses import replace

import pytest

from broker.domain.directory import Label
from broker.storage import groups
from broker.storage.contacts import DirectoryFull
from broker.storage.groups import (
    GroupMoved,
    InTooManyGroups,
    NameTaken,
    NewGroup,
    NoSuchGroup,
    NoSuchMembers,
    RemovedGroup,
    SavedGroup,
    add_groups,
)
from broker.storage.keeping import boot
from broker.testing.builders import NOW_US, SECOND_US
from broker.testing.store_suite.directory import DirectoryStore
from broker.testing.store_suite.directory_bench import DirectoryBench, by_external_id, by_id


class NamingCases(DirectoryStore):
    """Groups by themselves."""

    async def test_a_group_is_read_as_it_was_written(self, people: DirectoryBench) -> None:
        """With nobody in it yet."""
        answer = await people.add_group("Year 7", "Everyone in year 7")
        assert isinstance(answer, SavedGroup)
        group = answer.group
        assert (Label("Year 7", "Everyone in year 7"), 1, NOW_US, 0) == (
            group.label,
            group.version,
            group.created_at_us,
            group.member_count,
        )
        assert group == await people.read_group(group.group_id)
        assert await people.read_group(group.group_id, account_id=2) is None

    async def test_a_name_belongs_to_one_group_of_an_account(self, people: DirectoryBench) -> None:
        """Case does not make another name; other accounts have names of their own."""
        group = await people.group("Year 7")
        assert NameTaken(group.group_id) == await people.add_group("YEAR 7")
        other = await people.group("Year 8")
        assert NameTaken(group.group_id) == await people.change_group(other.group_id, name="year 7")
        assert isinstance(await people.add_group("Year 7", account_id=2), SavedGroup)

    async def test_a_name_belongs_to_one_group_of_a_call(self, people: DirectoryBench) -> None:
        """The first one."""
        items = [NewGroup(number, 1, Label("Year 7"), NOW_US, 100) for number in people.ids.take(2)]
        answers = await people.store.write(add_groups, items, [1])
        assert isinstance(answers[0], SavedGroup)
        assert NameTaken(items[0].group_id) == answers[1]

    async def test_a_group_can_be_renamed_and_described(self, people: DirectoryBench) -> None:
        """Each alone; its own name in another case is not taken, and no change is no version."""
        contact = await people.add()
        group = await people.group("Year 7", contact)
        people.wait(5)
        renamed = await people.change_group(group.group_id, name="YEAR 7", version=1)
        expected = replace(group, version=2, updated_at_us=NOW_US + 5 * SECOND_US, label=Label("YEAR 7"))
        assert SavedGroup(expected) == renamed
        assert GroupMoved() == await people.change_group(group.group_id, description="x", version=1)
        described = replace(expected, version=3, label=Label("YEAR 7", "x"))
        assert SavedGroup(described) == await people.change_group(group.group_id, description="x")
        assert SavedGroup(described) == await people.change_group(group.group_id, name="YEAR 7")
        assert described == await people.read_group(group.group_id)

    async def test_only_an_accounts_own_group_changes(self, people: DirectoryBench) -> None:
        """Another's is none."""
        group = await people.group("Year 7")
        assert NoSuchGroup() == await people.change_group(group.group_id, name="x", account_id=2)
        assert NoSuchGroup() == await people.remove_group(group.group_id, account_id=2)
        assert GroupMoved() == await people.remove_group(group.group_id, version=2)
        assert group == await people.read_group(group.group_id)

    async def test_an_account_has_as_many_groups_as_it_may(self, people: DirectoryBench) -> None:
        """What is removed makes room."""
        group = await people.group("Year 7")
        assert DirectoryFull(1) == await people.add_group("Year 8", groups_max=1)
        assert isinstance(await people.add_group("Year 8", groups_max=1, account_id=2), SavedGroup)
        await people.remove_group(group.group_id)
        assert isinstance(await people.add_group("Year 8", groups_max=1), SavedGroup)

    async def test_groups_are_listed_in_the_order_of_creation(self, people: DirectoryBench) -> None:
        """By their names where these are searched, each once in pages of any size."""
        for name in ("Year 8", "Choir", "Year 7", "year 10"):
            await people.group(name)
        await people.group("Year 9", account_id=2)
        assert [["Year 8", "Choir"], ["Year 7", "year 10"]] == await people.group_pages(page_size=2)
        expected = [["year 10", "Year 7"], ["Year 8"]]
        assert expected == await people.group_pages(name_prefix="YEAR", page_size=2)
        assert [[]] == await people.group_pages(name_prefix="x")


class MemberCases(DirectoryStore):
    """Who is in a group."""

    async def test_members_are_seen_from_both_sides(self, people: DirectoryBench) -> None:
        """The group's contacts, and the contact's groups."""
        ada, bob = await people.add(), await people.add()
        seven, choir = await people.group("Year 7", ada, bob), await people.group("Choir", bob)
        assert (2, 1) == (seven.member_count, choir.member_count)
        expected = [[ada.contact_id], [bob.contact_id], []]
        assert expected == await people.pages(group_id=seven.group_id, page_size=1)
        assert [["Year 7", "Choir"]] == await people.group_pages(contact_id=bob.contact_id)
        assert [["Year 7"], ["Choir"]] == await people.group_pages(contact_id=bob.contact_id, page_size=1)
        assert [["Choir"]] == await people.group_pages(contact_id=bob.contact_id, name_prefix="c")
        assert [[]] == await people.group_pages(contact_id=bob.contact_id, account_id=2)

    async def test_joining_counts_who_was_not_in_it(self, people: DirectoryBench) -> None:
        """By either id; twice is once, in a call and across calls."""
        ada, bob = await people.add(external_ids=("PL-1",)), await people.add()
        group = await people.group("Year 7", ada)
        answer = await people.join(group.group_id, by_external_id("PL-1"), bob, by_id(bob.contact_id))
        assert SavedGroup(replace(group, member_count=2), 1) == answer
        assert SavedGroup(replace(group, member_count=2), 0) == await people.join(group.group_id, ada, bob)

    async def test_joining_is_for_all_or_for_none(self, people: DirectoryBench) -> None:
        """Who is not found is told by place; another account's contact is not found."""
        ada, eve = await people.add(), await people.add(account_id=2)
        group = await people.group("Year 7")
        answer = await people.join(group.group_id, ada, eve, by_external_id("PL-9"))
        assert NoSuchMembers((1, 2)) == answer
        assert group == await people.read_group(group.group_id)
        assert NoSuchGroup() == await people.join(group.group_id, eve, account_id=2)

    async def test_leaving_counts_who_was_in_it(self, people: DirectoryBench) -> None:
        """Who was not in it, or is not found, makes no difference."""
        ada, bob = await people.add(), await people.add()
        group = await people.group("Year 7", ada)
        answer = await people.leave(group.group_id, ada, bob, by_id(12345), ada)
        assert SavedGroup(replace(group, member_count=0), 1) == answer
        assert [] == await people.listed(group_id=group.group_id)
        assert NoSuchGroup() == await people.leave(group.group_id, ada, account_id=2)

    async def test_a_contact_is_in_as_many_groups_as_it_may(
        self, people: DirectoryBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Then none of the call joins; who is in it already does not count again."""
        monkeypatch.setattr(groups, "GROUPS_OF_CONTACT_MAX", 1)
        ada, bob = await people.add(), await people.add()
        first, second = await people.group("First", ada), await people.group("Second")
        assert InTooManyGroups((1,)) == await people.join(second.group_id, bob, ada)
        assert SavedGroup(first, 0) == await people.join(first.group_id, ada)
        assert second == await people.read_group(second.group_id)


class GoneGroupCases(DirectoryStore):
    """Removed groups."""

    async def test_a_removed_group_is_gone_at_once(self, people: DirectoryBench) -> None:
        """For everyone, before its members are swept; its name is free and its contacts stay."""
        ada = await people.add()
        group = await people.group("Year 7", ada)
        assert RemovedGroup() == await people.remove_group(group.group_id, version=1)
        assert NoSuchGroup() == await people.remove_group(group.group_id)
        assert await people.read_group(group.group_id) is None
        assert [[]] == await people.group_pages(contact_id=ada.contact_id)
        assert [] == await people.listed(group_id=group.group_id)
        assert [ada.contact_id] == await people.listed()
        await people.group("Year 7")

    async def test_a_removed_group_is_swept_in_batches(self, people: DirectoryBench) -> None:
        """Until nothing is left of it; others keep their members, and a member may go in between."""
        members = [await people.add() for _ in range(5)]
        kept = await people.group("Kept", *members)
        for name in ("Year 7", "Year 8"):
            group = await people.group(name, *members)
            await people.remove_group(group.group_id)
        await people.remove(by_id(members[0].contact_id))
        swept = []
        while gone := await people.sweep(rows_max=3):
            swept.append(gone)
        assert [3, 1, 3, 1] == swept
        found = await people.read_group(kept.group_id)
        assert found is not None
        assert 4 == found.member_count == len(await people.listed(group_id=kept.group_id))

    async def test_an_empty_group_is_swept_too(self, people: DirectoryBench) -> None:
        """And then there is nothing to sweep."""
        group = await people.group("Year 7")
        await people.remove_group(group.group_id)
        assert [1, 0] == [await people.sweep(), await people.sweep()]


class IdentityCases(DirectoryStore):
    """Ids of the directory after a restart."""

    async def test_a_start_finds_the_newest_id_of_the_directory(self, people: DirectoryBench) -> None:
        """Also of what is gone, so that no id is given twice."""
        contact = await people.add()
        await people.remove(by_id(contact.contact_id))
        (found,) = await people.store.write(boot, [b"8 bytes!"])
        assert contact.contact_id == found.newest_id
        group = await people.group("Year 7")
        await people.add(account_id=2, external_ids=("PL-1",))
        newest = await people.add()
        (found,) = await people.store.write(boot, [b"8 bytes!"])
        assert group.group_id < newest.contact_id == found.newest_id


class GroupCases(NamingCases, MemberCases, GoneGroupCases, IdentityCases):
    """Groups, and what all of the directory shares."""
