"""Reading whom submissions reach: all contacts that they name, and who stands in for these, at once."""

from collections.abc import Mapping, Sequence

from broker.domain.directory import Contact, ContactRef
from broker.domain.reaching import (
    PEOPLE_OF_CALL_MAX,
    PEOPLE_OF_FRAME_MAX,
    Aim,
    FindContact,
    Reached,
    TooManyPeople,
    aims_of,
    reached,
)
from broker.domain.submission import Submission
from broker.storage.contact_rows import find_owners, read_contacts_by_id
from broker.storage.transaction import Transaction

Reach = tuple[Reached, ...] | TooManyPeople


def read_reach(tx: Transaction, submissions: Sequence[Submission]) -> list[Reach]:
    """Whom each submission reaches, on one snapshot; those past the limit of a frame reach too many."""
    named = {
        (each.account_id, recipient.contact.contact)
        for each in submissions
        for recipient in each.recipients
        if recipient.contact is not None
    }
    owners = find_owners(tx, {(account_id, ref.external_id) for account_id, ref in named})
    ids = {ref.contact_id for _, ref in named if ref.contact_id is not None} | set(owners.values())
    ids |= {
        recipient.contact_id
        for each in submissions
        for recipient in each.recipients
        if recipient.contact_id is not None
    }
    contacts = read_contacts_by_id(tx, ids)
    aims: list[list[Aim] | TooManyPeople] = []
    room = PEOPLE_OF_FRAME_MAX
    for submission in submissions:
        found = aims_of(submission, _finder(submission.account_id, owners, contacts))
        allowed = min(room, PEOPLE_OF_CALL_MAX)
        if len(found) > allowed:
            aims.append(TooManyPeople(len(found), allowed))
        else:
            room -= len(found)
            aims.append(found)
    contacts |= read_contacts_by_id(tx, _stand_ins(aims) - contacts.keys())
    return [
        each
        if isinstance(each, TooManyPeople)
        else reached(submission, each, _finder(submission.account_id, owners, contacts), contacts)
        for submission, each in zip(submissions, aims, strict=True)
    ]


def _stand_ins(aims: Sequence[list[Aim] | TooManyPeople]) -> set[int]:
    return {
        aim.contact_id
        for each in aims
        if not isinstance(each, TooManyPeople)
        for aim in each
        if aim.contact_id is not None
    }


def _finder(
    account_id: int, owners: Mapping[tuple[int, str], int], contacts: Mapping[int, Contact]
) -> FindContact:
    def find(ref: ContactRef) -> Contact | None:
        contact_id = ref.contact_id
        if contact_id is None:
            contact_id = owners.get((account_id, ref.external_id))
        found = None if contact_id is None else contacts.get(contact_id)
        return found if found is not None and found.account_id == account_id else None

    return find
