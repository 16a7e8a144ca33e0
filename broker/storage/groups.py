"""Verbs of groups: add, change and remove them, put contacts in and take them out."""

from collections.abc import Collection, Iterable

from broker.domain.directory import GROUPS_OF_CONTACT_MAX, ContactRef, Group, Label, folded
from broker.domain.value import value
from broker.storage.contact_rows import find_owners, read_contacts_by_id
from broker.storage.contacts import DirectoryFull
from broker.storage.transaction import Row, Transaction


@value
class NewGroup:
    """A group to add to an account that may have `groups_max`."""

    group_id: int
    account_id: int
    label: Label
    now_us: int
    groups_max: int


@value
class GroupChange:
    """A new name, description or both, when the group is still at `version`; None stays as it is."""

    account_id: int
    group_id: int
    name: str | None
    description: str | None
    version: int | None
    now_us: int


@value
class GroupRemoval:
    """A group to remove, when it is still at `version`."""

    account_id: int
    group_id: int
    version: int | None


@value
class MemberChange:
    """Contacts to put into a group, or to take out."""

    account_id: int
    group_id: int
    contacts: tuple[ContactRef, ...]


@value
class SavedGroup:
    """The group as it is now; `moved` is how many contacts came or went."""

    group: Group
    moved: int = 0


@value
class RemovedGroup:
    """It is gone."""


@value
class NoSuchGroup:
    """The account has no such group."""


@value
class GroupMoved:
    """The group is at another version."""


@value
class NameTaken:
    """Another group of the account has the name."""

    group_id: int


@value
class NoSuchMembers:
    """The account has no such contacts; places in the list."""

    indexes: tuple[int, ...]


@value
class InTooManyGroups:
    """Contacts that are in as many groups as they may; places in the list."""

    indexes: tuple[int, ...]


def add_groups(tx: Transaction, items: list[NewGroup]) -> list[SavedGroup | NameTaken | DirectoryFull]:
    """Add groups, in order."""
    account_ids = sorted({item.account_id for item in items})
    sizes = {row[0]: row[2] for row in tx.all("directory_sizes", account_ids=account_ids)}
    answers: list[SavedGroup | NameTaken | DirectoryFull] = []
    for item in items:
        size = sizes.get(item.account_id, 0)
        owner = _owner(tx, item.account_id, item.label.name)
        if owner is not None:
            answers.append(NameTaken(owner))
        elif size >= item.groups_max:
            answers.append(DirectoryFull(item.groups_max))
        else:
            sizes[item.account_id] = size + 1
            answers.append(_add(tx, item))
    return answers


def change_groups(
    tx: Transaction, items: list[GroupChange]
) -> list[SavedGroup | NoSuchGroup | GroupMoved | NameTaken]:
    """Rename and describe groups, in order."""
    return [_change(tx, item) for item in items]


def remove_groups(
    tx: Transaction, items: list[GroupRemoval]
) -> list[RemovedGroup | NoSuchGroup | GroupMoved]:
    """Hide groups for good. There may be millions of members: `sweep_groups` takes them out in batches."""
    answers: list[RemovedGroup | NoSuchGroup | GroupMoved] = []
    for item in items:
        group = read_group(tx, item.account_id, item.group_id)
        if group is None:
            answers.append(NoSuchGroup())
        elif item.version not in {None, group.version}:
            answers.append(GroupMoved())
        else:
            tx.all("mark_group_deleted", group_id=item.group_id)
            tx.bulk("grow_directories", [(item.account_id, 0, -1, 0)])
            answers.append(RemovedGroup())
    return answers


def sweep_groups(tx: Transaction, items: list[int]) -> list[int]:
    """Take at most so many members out of a removed group, or the group away once it is empty.

    Answers how many rows went; 0: no removed group is left.
    """
    return [_sweep(tx, rows_max) for rows_max in items]


def add_members(
    tx: Transaction, items: list[MemberChange]
) -> list[SavedGroup | NoSuchGroup | NoSuchMembers | InTooManyGroups]:
    """Put contacts into groups; none of an item's when one cannot be."""
    return [_add_members(tx, item) for item in items]


def remove_members(tx: Transaction, items: list[MemberChange]) -> list[SavedGroup | NoSuchGroup]:
    """Take contacts out of groups; who is not in it stays out of it."""
    return [_remove_members(tx, item) for item in items]


def read_group(tx: Transaction, account_id: int, group_id: int) -> Group | None:
    """An account's group; None also for another account's."""
    found = [group_of(row) for row in tx.all("groups_by_id", group_ids=[group_id])]
    return next((each for each in found if each.account_id == account_id), None)


def group_of(row: Row) -> Group:
    """A group from its columns."""
    group_id, account_id, version, created_at, updated_at, name, description, member_count = row
    label = Label(name, description)
    return Group(group_id, account_id, version, created_at, updated_at, label, member_count)


def read_any_group_removed(tx: Transaction) -> bool:
    """Whether there is anything for `sweep_groups`."""
    return tx.one("deleted_group") is not None


def members_among(tx: Transaction, group_id: int, contact_ids: Iterable[int]) -> set[int]:
    """Those of these contacts that are in the group."""
    rows = tx.all("members_among", group_id=group_id, contact_ids=sorted(contact_ids))
    return {row[0] for row in rows}


def _owner(tx: Transaction, account_id: int, name: str) -> int | None:
    row = tx.one("group_by_name", account_id=account_id, name_key=folded(name))
    return None if row is None else row[0]


def _add(tx: Transaction, item: NewGroup) -> SavedGroup:
    tx.all(
        "insert_group",
        group_id=item.group_id,
        account_id=item.account_id,
        now=item.now_us,
        name=item.label.name,
        name_key=folded(item.label.name),
        description=item.label.description,
    )
    tx.bulk("grow_directories", [(item.account_id, 0, 1, item.group_id)])
    return SavedGroup(Group(item.group_id, item.account_id, 1, item.now_us, item.now_us, item.label))


def _change(tx: Transaction, item: GroupChange) -> SavedGroup | NoSuchGroup | GroupMoved | NameTaken:
    before = read_group(tx, item.account_id, item.group_id)
    if before is None:
        return NoSuchGroup()
    if item.version not in {None, before.version}:
        return GroupMoved()
    old = before.label
    label = Label(
        old.name if item.name is None else item.name,
        old.description if item.description is None else item.description,
    )
    owner = _owner(tx, item.account_id, label.name)
    if owner not in {None, before.group_id}:
        assert owner is not None
        return NameTaken(owner)
    if label == old:
        return SavedGroup(before)
    tx.all(
        "update_group",
        group_id=before.group_id,
        version=before.version + 1,
        now=item.now_us,
        name=label.name,
        name_key=folded(label.name),
        description=label.description,
    )
    after = Group(
        before.group_id,
        before.account_id,
        before.version + 1,
        before.created_at_us,
        item.now_us,
        label,
        before.member_count,
    )
    return SavedGroup(after)


def _sweep(tx: Transaction, rows_max: int) -> int:
    row = tx.one("deleted_group")
    if row is None:
        return 0
    gone = len(tx.all("sweep_members", group_id=row[0], rows_max=rows_max))
    if gone < rows_max:
        tx.all("delete_group", group_id=row[0])
    return gone or 1


def _add_members(
    tx: Transaction, item: MemberChange
) -> SavedGroup | NoSuchGroup | NoSuchMembers | InTooManyGroups:
    group = read_group(tx, item.account_id, item.group_id)
    if group is None:
        return NoSuchGroup()
    found = _resolved(tx, item)
    if None in found:
        return NoSuchMembers(tuple(index for index, each in enumerate(found) if each is None))
    wanted = {each for each in found if each is not None}
    new = wanted - members_among(tx, item.group_id, wanted)
    counts: dict[int, int] = dict(tx.all("count_groups_of_contacts", contact_ids=sorted(new)))
    full = {each for each in new if counts.get(each, 0) >= GROUPS_OF_CONTACT_MAX}
    if full:
        return InTooManyGroups(tuple(index for index, each in enumerate(found) if each in full))
    tx.bulk("insert_members", [(item.account_id, item.group_id, each) for each in sorted(new)])
    return _resized(tx, group, len(new))


def _remove_members(tx: Transaction, item: MemberChange) -> SavedGroup | NoSuchGroup:
    group = read_group(tx, item.account_id, item.group_id)
    if group is None:
        return NoSuchGroup()
    wanted = {each for each in _resolved(tx, item) if each is not None}
    old = members_among(tx, item.group_id, wanted)
    tx.bulk("delete_members", [(item.group_id, each) for each in sorted(old)])
    return _resized(tx, group, -len(old))


def _resized(tx: Transaction, group: Group, members: int) -> SavedGroup:
    if members:
        tx.bulk("resize_groups", [(group.group_id, members)])
    after = Group(
        group.group_id,
        group.account_id,
        group.version,
        group.created_at_us,
        group.updated_at_us,
        group.label,
        group.member_count + members,
    )
    return SavedGroup(after, abs(members))


def _resolved(tx: Transaction, item: MemberChange) -> Collection[int | None]:
    """The contact that each ref names; None where the account has none."""
    owners = find_owners(tx, {(item.account_id, ref.external_id) for ref in item.contacts})
    ids = [
        ref.contact_id if ref.contact_id is not None else owners.get((item.account_id, ref.external_id))
        for ref in item.contacts
    ]
    there = read_contacts_by_id(tx, {each for each in ids if each is not None})
    ours = {key for key, contact in there.items() if contact.account_id == item.account_id}
    return [each if each in ours else None for each in ids]
