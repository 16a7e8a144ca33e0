"""Joining a group by a message: whoever writes becomes a contact, if they are none, and a member."""

from collections.abc import Sequence

from broker.domain.directory import Card, ContactRef
from broker.domain.value import value
from broker.storage.contacts import NewContact, SavedContact, save_contacts
from broker.storage.groups import MemberChange, SavedGroup, add_members
from broker.storage.transaction import Transaction


@value
class Joined:
    """A person who joins a group of an account; `contact_id` is theirs should they be nobody yet."""

    account_id: int
    group_id: int
    person: str
    contact_id: int
    now_us: int
    contacts_max: int


def join_groups(tx: Transaction, items: Sequence[Joined | None]) -> list[int | None]:
    """The contact of each who joined, in order; None where nobody did.

    Nobody joins a group that is no longer there, nor when the directory, or what one contact may be in, is full.
    """
    return [None if item is None else _join(tx, item) for item in items]


def _join(tx: Transaction, item: Joined) -> int | None:
    contact_id = _contact(tx, item)
    if contact_id is None:
        return None
    change = MemberChange(item.account_id, item.group_id, (ContactRef(contact_id=contact_id),))
    (answer,) = add_members(tx, [change])
    return contact_id if isinstance(answer, SavedGroup) else None


def _contact(tx: Transaction, item: Joined) -> int | None:
    """The person's contact: the oldest with this address, else a new one."""
    address = item.person.lower()
    row = tx.one("contacts_by_address", account_id=item.account_id, address=address, after_id=0, rows_max=1)
    if row is not None:
        return int(row[0])
    card = Card(emails=(item.person,)) if "@" in item.person else Card(phone_numbers=(item.person,))
    new = NewContact(item.contact_id, item.account_id, card, (), item.now_us, item.contacts_max)
    (answer,) = save_contacts(tx, [new])
    return answer.contact.contact_id if isinstance(answer, SavedContact) else None
