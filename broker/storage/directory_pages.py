"""Pages of the directory: contacts and groups in a stable order, each page going on after a place.

Of the fields of a filter, the one that usually lets the fewest through leads: it has an index, and what it
finds is checked against the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from broker.domain.directory import (
    GROUPS_OF_CONTACT_MAX,
    Contact,
    ContactFilter,
    Group,
    GroupFilter,
    address_key,
    folded,
)
from broker.storage.contact_rows import read_contacts_by_id
from broker.storage.groups import group_of, members_among, read_group
from broker.storage.transaction import Row, Transaction

SCAN_ROWS_MAX = 10_000
"""A page looks at this many contacts or groups at most, and may then be short."""

_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the last id, and in the order of names the folded name."""

    last_id: int
    name: str = ""


_START = Place(-1)


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """Which contacts of an account, after a place."""

    account_id: int
    wanted: ContactFilter
    after: Place | None
    page_size: int


@dataclass(frozen=True, slots=True)
class ContactPage:
    """One page; `next_place` is None on the last one."""

    contacts: Sequence[Contact]
    next_place: Place | None


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """Which groups of an account, after a place."""

    account_id: int
    wanted: GroupFilter
    after: Place | None
    page_size: int


@dataclass(frozen=True, slots=True)
class GroupPage:
    """One page; `next_place` is None on the last one."""

    groups: Sequence[Group]
    next_place: Place | None


def read_contacts(tx: Transaction, query: ContactQuery) -> ContactPage:
    """A page of contacts; an empty one where the filter names a group that the account does not have."""
    group_id = query.wanted.group_id
    if group_id is not None and read_group(tx, query.account_id, group_id) is None:
        return ContactPage((), None)
    place, looked_at = query.after, 0
    found: list[Contact] = []
    while looked_at < SCAN_ROWS_MAX:
        room = query.page_size - len(found)
        rows = _leading(tx, query, place, room)
        contacts = read_contacts_by_id(tx, [row[0] for row in rows])
        found += _fitting(tx, query.wanted, [contacts[row[0]] for row in rows])
        if len(rows) < room:
            return ContactPage(found, None)
        place = Place(*rows[-1])
        looked_at += len(rows)
        if len(found) == query.page_size:
            break
    return ContactPage(found, place)


def read_groups(tx: Transaction, query: GroupQuery) -> GroupPage:
    """A page of groups."""
    wanted, rows_max = query.wanted, query.page_size + 1
    after = query.after or _START
    if wanted.contact_id is not None:
        rows = tx.all(
            "groups_by_contact",
            account_id=query.account_id,
            contact_id=wanted.contact_id,
            after_id=after.last_id,
            rows_max=GROUPS_OF_CONTACT_MAX,
        )
    elif wanted.name_prefix:
        rows = tx.all(
            "groups_by_name",
            account_id=query.account_id,
            after_name=after.name,
            name_start=wanted.name_prefix,
            name_end=wanted.name_prefix + _LAST_CHARACTER,
            rows_max=rows_max,
        )
    else:
        rows = tx.all(
            "groups_of_account", account_id=query.account_id, after_id=after.last_id, rows_max=rows_max
        )
    groups = [each for each in map(group_of, rows) if folded(each.label.name).startswith(wanted.name_prefix)]
    page = groups[: query.page_size]
    more = len(groups) > query.page_size
    return GroupPage(page, Place(page[-1].group_id, folded(page[-1].label.name)) if more else None)


def _leading(tx: Transaction, query: ContactQuery, after: Place | None, rows_max: int) -> list[Row]:
    """Ids and, in the order of names, folded names, that the leading field of the filter finds."""
    wanted = query.wanted
    place = after or _START
    scan = {"account_id": query.account_id, "after_id": place.last_id, "rows_max": rows_max}
    if wanted.external_id:
        return tx.all("contacts_by_external_id", **scan, external_id=wanted.external_id)
    if wanted.phone_number or wanted.email:
        return tx.all("contacts_by_address", **scan, address=address_key(wanted.phone_number or wanted.email))
    if wanted.group_id is not None:
        return tx.all("contacts_by_group", **scan, group_id=wanted.group_id)
    if wanted.name_prefix:
        return tx.all(
            "contacts_by_name",
            **scan,
            after_name=place.name if after else wanted.name_prefix,
            name_start=wanted.name_prefix,
            name_end=wanted.name_prefix + _LAST_CHARACTER,
        )
    return tx.all("contacts_of_account", **scan)


def _fitting(tx: Transaction, wanted: ContactFilter, contacts: Sequence[Contact]) -> list[Contact]:
    fitting = [each for each in contacts if wanted.fits(each.card)]
    if wanted.group_id is None or not fitting:
        return fitting
    members = members_among(tx, wanted.group_id, [each.contact_id for each in fitting])
    return [each for each in fitting if each.contact_id in members]
