"""The directory as callers work with it: contacts, groups, and who is in them."""

from collections.abc import Sequence

from broker.delivery.identities import Identities
from broker.domain.directory import (
    GROUPS_OF_CONTACT_MAX,
    Card,
    Contact,
    ContactRef,
    DelegateWish,
    Group,
    Label,
)
from broker.domain.ids import format_id
from broker.domain.value import value
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Clock
from broker.storage.contacts import (
    BadDelegate,
    ContactChange,
    ContactMoved,
    ContactRemoval,
    DirectoryFull,
    ExternalIdTaken,
    NewContact,
    NoSuchContact,
    RemovedContact,
    SavedContact,
    read_contact,
    remove_contacts,
    save_contacts,
)
from broker.storage.directory_pages import (
    ContactPage,
    ContactQuery,
    GroupPage,
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
)
from broker.storage.store import Store

__all__ = ["ContactPage", "ContactQuery", "ContactUpdate", "Directory", "GroupPage", "GroupQuery", "Place"]

_Refusal = (
    NoSuchContact
    | ContactMoved
    | ExternalIdTaken
    | DirectoryFull
    | BadDelegate
    | NoSuchGroup
    | GroupMoved
    | NameTaken
)


@value
class ContactUpdate:
    """New values for those of a contact's fields that are named, when it is still at `version`.

    `otherwise` is the card to add when there is no such contact.
    """

    contact: ContactRef
    card: Card
    delegates: tuple[DelegateWish, ...]
    fields: frozenset[str]
    version: int | None = None
    otherwise: Card | None = None


class Directory:
    """Reads and writes. An account may have `contacts_max` contacts and `groups_max` groups."""

    def __init__(
        self, store: Store, identities: Identities, clock: Clock, *, contacts_max: int, groups_max: int
    ) -> None:
        self._store = store
        self._identities = identities
        self._clock = clock
        self._contacts_max = contacts_max
        self._groups_max = groups_max

    async def create_contact(
        self, account_id: int, card: Card, delegates: tuple[DelegateWish, ...]
    ) -> Contact:
        """Add a contact."""
        return await self._save(await self._new(account_id, card, delegates))

    async def update_contact(self, account_id: int, update: ContactUpdate) -> Contact:
        """Change a contact, or add it where that was asked for; answers it as it is then."""
        otherwise = None
        if update.otherwise is not None:
            otherwise = await self._new(account_id, update.otherwise, update.delegates)
        change = ContactChange(
            account_id,
            update.contact,
            update.card,
            update.delegates,
            update.fields,
            update.version,
            self._clock.now_us(),
            otherwise,
        )
        return await self._save(change)

    async def delete_contact(self, account_id: int, contact: ContactRef, version: int | None) -> None:
        """Remove a contact."""
        item = ContactRemoval(account_id, contact, version)
        (answer,) = await self._store.write(remove_contacts, [item], [account_id])
        if not isinstance(answer, RemovedContact):
            raise _refused(answer)

    async def contact(self, account_id: int, contact: ContactRef) -> Contact:
        """One contact."""
        found = await self._store.read(read_contact, account_id, contact)
        if found is None:
            raise _refused(NoSuchContact())
        return found

    async def contacts(self, query: ContactQuery) -> ContactPage:
        """A page of contacts."""
        return await self._store.read(read_contacts, query)

    async def create_group(self, account_id: int, label: Label) -> Group:
        """Add a group."""
        (group_id,) = await self._identities.take(1)
        item = NewGroup(group_id, account_id, label, self._clock.now_us(), self._groups_max)
        (answer,) = await self._store.write(add_groups, [item], [account_id])
        return _saved(answer).group

    async def update_group(
        self,
        account_id: int,
        group_id: int,
        *,
        name: str | None,
        description: str | None,
        version: int | None,
    ) -> Group:
        """Change a group; None stays as it is."""
        item = GroupChange(account_id, group_id, name, description, version, self._clock.now_us())
        (answer,) = await self._store.write(change_groups, [item], [account_id])
        return _saved(answer).group

    async def delete_group(self, account_id: int, group_id: int, version: int | None) -> None:
        """Remove a group. The janitor clears away its members."""
        item = GroupRemoval(account_id, group_id, version)
        (answer,) = await self._store.write(remove_groups, [item], [account_id])
        if not isinstance(answer, RemovedGroup):
            raise _refused(answer)

    async def group(self, account_id: int, group_id: int) -> Group:
        """One group."""
        found = await self._store.read(read_group, account_id, group_id)
        if found is None:
            raise _refused(NoSuchGroup())
        return found

    async def groups(self, query: GroupQuery) -> GroupPage:
        """A page of groups."""
        return await self._store.read(read_groups, query)

    async def add_members(self, account_id: int, group_id: int, contacts: Sequence[ContactRef]) -> SavedGroup:
        """Put contacts into a group, all or none; answers how many were not in it."""
        item = MemberChange(account_id, group_id, tuple(contacts))
        (answer,) = await self._store.write(add_members, [item], [account_id])
        if isinstance(answer, NoSuchMembers):
            rule = ErrorReason.CONTACT_NOT_FOUND.value
            raise BrokerError(ErrorReason.CONTACT_NOT_FOUND, violations=_at(contacts, answer.indexes, rule))
        if isinstance(answer, InTooManyGroups):
            rule = f"is in {GROUPS_OF_CONTACT_MAX:,} groups, and may not be in more"
            raise BrokerError(ErrorReason.DIRECTORY_FULL, violations=_at(contacts, answer.indexes, rule))
        return _saved(answer)

    async def remove_members(
        self, account_id: int, group_id: int, contacts: Sequence[ContactRef]
    ) -> SavedGroup:
        """Take contacts out of a group; answers how many were in it."""
        item = MemberChange(account_id, group_id, tuple(contacts))
        (answer,) = await self._store.write(remove_members, [item], [account_id])
        return _saved(answer)

    async def _new(self, account_id: int, card: Card, delegates: tuple[DelegateWish, ...]) -> NewContact:
        (contact_id,) = await self._identities.take(1)
        now_us = self._clock.now_us()
        return NewContact(contact_id, account_id, card, delegates, now_us, self._contacts_max)

    async def _save(self, item: NewContact | ContactChange) -> Contact:
        (answer,) = await self._store.write(save_contacts, [item], [item.account_id])
        if isinstance(answer, SavedContact):
            return answer.contact
        raise _refused(answer)


def _saved(answer: SavedGroup | NoSuchGroup | GroupMoved | NameTaken | DirectoryFull) -> SavedGroup:
    if isinstance(answer, SavedGroup):
        return answer
    raise _refused(answer)


def _refused(answer: _Refusal) -> BrokerError:
    """What a refusal of the store means to the caller."""
    metadata: dict[str, str] = {}
    violations: list[Violation] = []
    match answer:
        case ExternalIdTaken(external_id, contact_id):
            metadata = {"external_id": external_id, "contact_id": format_id(contact_id)}
        case NameTaken(group_id):
            metadata = {"group_id": format_id(group_id)}
        case DirectoryFull(allowed):
            metadata = {"allowed": str(allowed)}
        case BadDelegate(index, problem):
            violations = [Violation(f"contact.delegates[{index}]", problem.value)]
        case _:
            pass
    return BrokerError(_REASONS[type(answer)], metadata=metadata, violations=violations)


_REASONS: dict[type[_Refusal], ErrorReason] = {
    NoSuchContact: ErrorReason.CONTACT_NOT_FOUND,
    NoSuchGroup: ErrorReason.GROUP_NOT_FOUND,
    ContactMoved: ErrorReason.ETAG_MISMATCH,
    GroupMoved: ErrorReason.ETAG_MISMATCH,
    ExternalIdTaken: ErrorReason.EXTERNAL_ID_TAKEN,
    NameTaken: ErrorReason.GROUP_NAME_TAKEN,
    DirectoryFull: ErrorReason.DIRECTORY_FULL,
    BadDelegate: ErrorReason.INVALID_REQUEST,
}


def _at(contacts: Sequence[ContactRef], indexes: Sequence[int], rule: str) -> list[Violation]:
    """The rule at each of these places; requests name contacts by the broker's ids first."""
    by_id = sum(ref.contact_id is not None for ref in contacts)
    return [
        Violation(f"contact_ids[{index}]" if index < by_id else f"external_ids[{index - by_id}]", rule)
        for index in indexes
    ]
