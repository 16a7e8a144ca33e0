"""What is true of every directory between two transactions, checked over the whole of it."""

from collections import Counter
from collections.abc import Iterator

from broker.domain.directory import Contact, ContactFilter, ContactRef, Group, GroupFilter, name_keys
from broker.storage.contacts import read_contact
from broker.storage.directory_pages import ContactQuery, GroupQuery, read_contacts, read_groups
from broker.storage.transaction import Transaction

_PAGE = 1_000


def check_directory(tx: Transaction, account_id: int) -> None:
    """Raise AssertionError where lists, look-ups and counts do not agree."""
    contacts = {each.contact_id: each for each in _contacts(tx, account_id, ContactFilter())}
    groups = list(_groups(tx, account_id, GroupFilter()))
    sizes = {row[0]: (row[1], row[2]) for row in tx.all("directory_sizes", account_ids=[account_id])}
    assert (len(contacts), len(groups)) == sizes.get(account_id, (0, 0)), "a wrong count of the directory"
    for contact in contacts.values():
        _check_found(tx, contact)
        assert {each.contact_id for each in contact.delegates} <= contacts.keys() - {contact.contact_id}
    joined: Counter[int] = Counter()
    for group in groups:
        members = [
            each.contact_id for each in _contacts(tx, account_id, ContactFilter(group_id=group.group_id))
        ]
        assert group.member_count == len(set(members)) == len(members), "a wrong count of members"
        joined.update(members)
    for contact_id in contacts:
        found = _groups(tx, account_id, GroupFilter(contact_id=contact_id))
        assert joined[contact_id] == len(list(found)), "a member on one side only"


def _check_found(tx: Transaction, contact: Contact) -> None:
    """Everything on the card that can be looked up leads to the contact."""
    card, account_id = contact.card, contact.account_id
    for external_id in card.external_ids:
        assert contact == read_contact(tx, account_id, ContactRef(external_id=external_id))
    wanted = [
        *(ContactFilter(phone_number=each) for each in card.phone_numbers),
        *(ContactFilter(email=each) for each in card.emails),
        *(ContactFilter(name_prefix=each) for each in name_keys(card)),
        *(ContactFilter(external_id=each) for each in card.external_ids),
    ]
    for each in wanted:
        assert list(_contacts(tx, account_id, each)).count(contact) == 1


def _contacts(tx: Transaction, account_id: int, wanted: ContactFilter) -> Iterator[Contact]:
    page = read_contacts(tx, ContactQuery(account_id, wanted, None, _PAGE))
    yield from page.contacts
    while page.next_place is not None:
        page = read_contacts(tx, ContactQuery(account_id, wanted, page.next_place, _PAGE))
        yield from page.contacts


def _groups(tx: Transaction, account_id: int, wanted: GroupFilter) -> Iterator[Group]:
    page = read_groups(tx, GroupQuery(account_id, wanted, None, _PAGE))
    yield from page.groups
    while page.next_place is not None:
        page = read_groups(tx, GroupQuery(account_id, wanted, page.next_place, _PAGE))
        yield from page.groups
