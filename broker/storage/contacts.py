"""Verbs of contacts: add, change and remove them, and read one."""

from collections.abc import Sequence
from enum import Enum

from broker.domain.directory import (
    DELEGATORS_MAX,
    Card,
    Contact,
    ContactRef,
    Delegate,
    DelegateWish,
    masked,
)
from broker.domain.value import value
from broker.storage.contact_rows import ContactRows, find_owners, read_contacts_by_id
from broker.storage.transaction import Transaction

DELEGATES = "delegates"
"""Beside the fields of a card, what a change can name."""


@value
class NewContact:
    """A contact to add to an account that may have `contacts_max`."""

    contact_id: int
    account_id: int
    card: Card
    delegates: tuple[DelegateWish, ...]
    now_us: int
    contacts_max: int


@value
class ContactChange:
    """New values for those of a contact's fields that are named; all of it when it is still at `version`.

    `otherwise` is added when there is no such contact.
    """

    account_id: int
    contact: ContactRef
    card: Card
    delegates: tuple[DelegateWish, ...]
    fields: frozenset[str]
    version: int | None
    now_us: int
    otherwise: NewContact | None = None


@value
class ContactRemoval:
    """A contact to remove, when it is still at `version`."""

    account_id: int
    contact: ContactRef
    version: int | None


@value
class SavedContact:
    """The contact as it is now."""

    contact: Contact


@value
class RemovedContact:
    """It is gone."""


@value
class NoSuchContact:
    """The account has no such contact."""


@value
class ContactMoved:
    """The contact is at another version."""


@value
class ExternalIdTaken:
    """Another contact of the account has the external id."""

    external_id: str
    contact_id: int


@value
class DirectoryFull:
    """The account has as many as it may."""

    allowed: int


class DelegateProblem(Enum):
    """What is wrong with a delegate."""

    UNKNOWN = "there is no such contact"
    ITSELF = "is the contact itself"
    REPEATED = "is named twice"
    OVERLOADED = f"is the delegate of {DELEGATORS_MAX:,} contacts already, and may not be of more"


@value
class BadDelegate:
    """A delegate cannot be one; `index` is its place in the list."""

    index: int
    problem: DelegateProblem


Saving = SavedContact | NoSuchContact | ContactMoved | ExternalIdTaken | DirectoryFull | BadDelegate


def save_contacts(tx: Transaction, items: list[NewContact | ContactChange]) -> list[Saving]:
    """Add or change contacts, in order: a later item sees what an earlier one did."""
    rows = ContactRows(tx)
    refs = [(item.account_id, wish.contact) for item in items for wish in item.delegates]
    refs += [(item.account_id, item.contact) for item in items if isinstance(item, ContactChange)]
    rows.load(refs, {(item.account_id, each) for item in items for each in item.card.external_ids})
    delegates = (rows.find(item.account_id, wish.contact) for item in items for wish in item.delegates)
    rows.load_counts({item.account_id for item in items}, {each.contact_id for each in delegates if each})
    answers = [_add(rows, item) if isinstance(item, NewContact) else _change(rows, item) for item in items]
    rows.flush()
    return answers


def remove_contacts(
    tx: Transaction, items: list[ContactRemoval]
) -> list[RemovedContact | NoSuchContact | ContactMoved]:
    """Remove contacts, with their places in groups and as delegates of others."""
    rows = ContactRows(tx)
    rows.load([(item.account_id, item.contact) for item in items])
    answers: list[RemovedContact | NoSuchContact | ContactMoved] = []
    for item in items:
        contact = rows.find(item.account_id, item.contact)
        if contact is None:
            answers.append(NoSuchContact())
        elif item.version not in {None, contact.version}:
            answers.append(ContactMoved())
        else:
            rows.remove(contact)
            answers.append(RemovedContact())
    rows.flush()
    return answers


def read_contact(tx: Transaction, account_id: int, ref: ContactRef) -> Contact | None:
    """An account's contact; None also for another account's."""
    contact_id = ref.contact_id
    if contact_id is None:
        contact_id = find_owners(tx, [(account_id, ref.external_id)]).get((account_id, ref.external_id))
    found = None if contact_id is None else read_contacts_by_id(tx, [contact_id]).get(contact_id)
    return found if found is not None and found.account_id == account_id else None


def _add(rows: ContactRows, item: NewContact) -> Saving:
    if rows.count(item.account_id) >= item.contacts_max:
        return DirectoryFull(item.contacts_max)
    delegates = _delegates(rows, item.account_id, item.contact_id, item.delegates, ())
    if isinstance(delegates, BadDelegate):
        return delegates
    return _put(
        rows,
        Contact(item.contact_id, item.account_id, 1, item.now_us, item.now_us, item.card, delegates),
    )


def _change(rows: ContactRows, item: ContactChange) -> Saving:
    before = rows.find(item.account_id, item.contact)
    if before is None:
        return NoSuchContact() if item.otherwise is None else _add(rows, item.otherwise)
    if item.version not in {None, before.version}:
        return ContactMoved()
    delegates: tuple[Delegate, ...] | BadDelegate = before.delegates
    if DELEGATES in item.fields:
        delegates = _delegates(rows, item.account_id, before.contact_id, item.delegates, before.delegates)
    if isinstance(delegates, BadDelegate):
        return delegates
    card = masked(before.card, item.card, item.fields)
    if (card, delegates) == (before.card, before.delegates):
        return SavedContact(before)
    after = Contact(
        before.contact_id,
        before.account_id,
        before.version + 1,
        before.created_at_us,
        item.now_us,
        card,
        delegates,
    )
    return _put(rows, after)


def _put(rows: ContactRows, contact: Contact) -> Saving:
    for external_id in contact.card.external_ids:
        owner = rows.owner(contact.account_id, external_id)
        if owner not in {None, contact.contact_id}:
            assert owner is not None
            return ExternalIdTaken(external_id, owner)
    rows.put(contact)
    return SavedContact(contact)


def _delegates(
    rows: ContactRows,
    account_id: int,
    contact_id: int,
    wishes: Sequence[DelegateWish],
    before: Sequence[Delegate],
) -> tuple[Delegate, ...] | BadDelegate:
    known = {each.contact_id for each in before}
    found: dict[int, Delegate] = {}
    for index, wish in enumerate(wishes):
        contact = rows.find(account_id, wish.contact)
        if contact is None:
            return BadDelegate(index, DelegateProblem.UNKNOWN)
        if contact.contact_id == contact_id:
            return BadDelegate(index, DelegateProblem.ITSELF)
        if contact.contact_id in found:
            return BadDelegate(index, DelegateProblem.REPEATED)
        if contact.contact_id not in known and rows.delegators(contact.contact_id) >= DELEGATORS_MAX:
            return BadDelegate(index, DelegateProblem.OVERLOADED)
        found[contact.contact_id] = Delegate(contact.contact_id, wish.relation, wish.priority)
    return tuple(found.values())
