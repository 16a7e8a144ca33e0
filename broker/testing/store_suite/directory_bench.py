"""The directory's verbs in the words of a test: one call each, at a time that the test sets."""

from dataclasses import dataclass, field, replace
from typing import Any

from broker.domain.directory import (
    Card,
    Contact,
    ContactFilter,
    ContactRef,
    DelegateWish,
    Group,
    GroupFilter,
    Label,
    folded,
)
from broker.storage.contacts import (
    ContactChange,
    ContactMoved,
    ContactRemoval,
    DirectoryFull,
    NewContact,
    NoSuchContact,
    RemovedContact,
    SavedContact,
    Saving,
    read_contact,
    remove_contacts,
    save_contacts,
)
from broker.storage.directory_pages import (
    ContactQuery,
    GroupQuery,
    Place,
    read_contacts,
    read_groups,
)
from broker.storage.groups import (
    GroupChange,
    GroupMoved,
    GroupRemoval,
    InTooManyGroups,
    MemberChange,
    NameTaken,
    NewGroup,
    NoSuchGroup,
    NoSuchMembers,
    RemovedGroup,
    SavedGroup,
    add_groups,
    add_members,
    change_groups,
    read_group,
    remove_groups,
    remove_members,
    sweep_groups,
)
from broker.storage.store import Store
from broker.testing.builders import NOW_US, SECOND_US, IdCounter

CONTACTS_MAX = GROUPS_MAX = 1_000


def by_id(contact_id: int) -> ContactRef:
    """A contact by the broker's id."""
    return ContactRef(contact_id=contact_id)


def by_external_id(external_id: str) -> ContactRef:
    """A contact by one of the caller's ids."""
    return ContactRef(external_id=external_id)


@dataclass
class DirectoryBench:
    """A store's directory, and the time."""

    store: Store
    now_us: int = NOW_US
    ids: IdCounter = field(default_factory=IdCounter)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now_us += round(seconds * SECOND_US)

    def new(
        self,
        *delegates: DelegateWish | int,
        account_id: int = 1,
        contacts_max: int = CONTACTS_MAX,
        **card: Any,
    ) -> NewContact:
        """What `save_contacts` takes for a contact to add."""
        (contact_id,) = self.ids.take(1)
        return NewContact(contact_id, account_id, Card(**card), _wishes(delegates), self.now_us, contacts_max)

    def change(
        self,
        ref: ContactRef,
        *delegates: DelegateWish | int,
        fields: frozenset[str] | None = None,
        account_id: int = 1,
        version: int | None = None,
        otherwise: NewContact | None = None,
        **card: Any,
    ) -> ContactChange:
        """What `save_contacts` takes for a change of the fields that are named, or given."""
        named = frozenset(card) | ({"delegates"} if delegates else set()) if fields is None else fields
        return ContactChange(
            account_id, ref, Card(**card), _wishes(delegates), named, version, self.now_us, otherwise
        )

    async def save(self, *items: NewContact | ContactChange) -> list[Saving]:
        """Save in one call."""
        return await self.store.write(save_contacts, items, {each.account_id for each in items})

    async def saved(self, item: NewContact | ContactChange) -> Contact:
        """Save one that can be."""
        (answer,) = await self.save(item)
        assert isinstance(answer, SavedContact), answer
        return answer.contact

    async def add(self, *delegates: DelegateWish | int, account_id: int = 1, **card: Any) -> Contact:
        """Add one contact."""
        return await self.saved(self.new(*delegates, account_id=account_id, **card))

    async def remove(
        self, ref: ContactRef, *, account_id: int = 1, version: int | None = None
    ) -> RemovedContact | NoSuchContact | ContactMoved:
        """Remove one contact."""
        item = ContactRemoval(account_id, ref, version)
        (answer,) = await self.store.write(remove_contacts, [item], [account_id])
        return answer

    async def contact(self, ref: ContactRef | int, account_id: int = 1) -> Contact | None:
        """The contact as it stands."""
        named = by_id(ref) if isinstance(ref, int) else ref
        return await self.store.read(read_contact, account_id, named)

    async def pages(
        self, *, page_size: int = 100, account_id: int = 1, name_prefix: str = "", **wanted: Any
    ) -> list[list[int]]:
        """The ids of every page of contacts."""
        found: list[list[int]] = []
        query = ContactQuery(
            account_id, ContactFilter(name_prefix=folded(name_prefix), **wanted), None, page_size
        )
        while True:
            page = await self.store.read(read_contacts, query)
            found.append([each.contact_id for each in page.contacts])
            if page.next_place is None:
                return found
            query = replace(query, after=page.next_place)

    async def listed(self, **wanted: Any) -> list[int]:
        """The ids of all contacts that match."""
        return [each for page in await self.pages(**wanted) for each in page]

    async def add_group(
        self, name: str, description: str = "", *, account_id: int = 1, groups_max: int = GROUPS_MAX
    ) -> SavedGroup | NameTaken | DirectoryFull:
        """Add one group."""
        (group_id,) = self.ids.take(1)
        item = NewGroup(group_id, account_id, Label(name, description), self.now_us, groups_max)
        (answer,) = await self.store.write(add_groups, [item], [account_id])
        return answer

    async def group(self, name: str, *members: Contact, account_id: int = 1) -> Group:
        """A new group with members."""
        answer = await self.add_group(name, account_id=account_id)
        assert isinstance(answer, SavedGroup), answer
        if members:
            await self.join(answer.group.group_id, *members, account_id=account_id)
        found = await self.read_group(answer.group.group_id, account_id)
        assert found is not None
        return found

    async def change_group(
        self,
        group_id: int,
        *,
        name: str | None = None,
        description: str | None = None,
        version: int | None = None,
        account_id: int = 1,
    ) -> SavedGroup | NoSuchGroup | GroupMoved | NameTaken:
        """Change one group."""
        item = GroupChange(account_id, group_id, name, description, version, self.now_us)
        (answer,) = await self.store.write(change_groups, [item], [account_id])
        return answer

    async def remove_group(
        self, group_id: int, *, version: int | None = None, account_id: int = 1
    ) -> RemovedGroup | NoSuchGroup | GroupMoved:
        """Remove one group."""
        item = GroupRemoval(account_id, group_id, version)
        (answer,) = await self.store.write(remove_groups, [item], [account_id])
        return answer

    async def sweep(self, rows_max: int = 100) -> int:
        """Clear away what removed groups left, one batch."""
        (gone,) = await self.store.write(sweep_groups, [rows_max])
        return gone

    async def join(
        self, group_id: int, *members: Contact | ContactRef, account_id: int = 1
    ) -> SavedGroup | NoSuchGroup | NoSuchMembers | InTooManyGroups:
        """Put contacts into a group."""
        item = MemberChange(account_id, group_id, _refs(members))
        (answer,) = await self.store.write(add_members, [item], [account_id])
        return answer

    async def leave(
        self, group_id: int, *members: Contact | ContactRef, account_id: int = 1
    ) -> SavedGroup | NoSuchGroup:
        """Take contacts out of a group."""
        item = MemberChange(account_id, group_id, _refs(members))
        (answer,) = await self.store.write(remove_members, [item], [account_id])
        return answer

    async def read_group(self, group_id: int, account_id: int = 1) -> Group | None:
        """The group as it stands."""
        return await self.store.read(read_group, account_id, group_id)

    async def group_pages(
        self, *, page_size: int = 100, account_id: int = 1, name_prefix: str = "", **wanted: Any
    ) -> list[list[str]]:
        """The names of every page of groups."""
        found: list[list[str]] = []
        place: Place | None = None
        while True:
            asked = GroupFilter(name_prefix=folded(name_prefix), **wanted)
            page = await self.store.read(read_groups, GroupQuery(account_id, asked, place, page_size))
            found.append([each.label.name for each in page.groups])
            place = page.next_place
            if place is None:
                return found


def _wishes(delegates: tuple[DelegateWish | int, ...]) -> tuple[DelegateWish, ...]:
    return tuple(DelegateWish(by_id(each)) if isinstance(each, int) else each for each in delegates)


def _refs(members: tuple[Contact | ContactRef, ...]) -> tuple[ContactRef, ...]:
    return tuple(by_id(each.contact_id) if isinstance(each, Contact) else each for each in members)
