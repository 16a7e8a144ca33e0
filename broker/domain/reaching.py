"""Whom a submission reaches: recipients who are named as contacts become people with addresses.

A contact gets its messages itself, or those who stand in for it do. First `aims_of` says which contacts
that are, then, with these read as well, `reached` brings their addresses.
"""

from collections.abc import Callable, Mapping, Sequence

from broker.domain.directory import Contact, ContactRef
from broker.domain.submission import Recipient, Submission
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Delegation, Reason

PEOPLE_OF_CALL_MAX = 1_000
PEOPLE_OF_FRAME_MAX = 10_000
"""Whom the requests of a frame reach together: it is one commit."""

FindContact = Callable[[ContactRef], Contact | None]


@value
class Aim:
    """A message to be: for which recipient of the submission, and to which contact or why to nobody."""

    recipient_index: int
    contact_id: int | None = None
    reason: Reason | None = None


@value
class TooManyPeople:
    """The submission reaches more people than it may."""

    needed: int
    allowed: int


@value
class Reached:
    """Somebody who gets a message, or the reason why nobody does.

    `recipient` has the addresses. `contact` is whom they belong to, `asked` the contact that was named;
    both are None for a recipient who was named by address, and the second for the address of a contact.
    """

    recipient_index: int
    recipient: Recipient
    contact: Contact | None = None
    asked: Contact | None = None
    reason: Reason | None = None

    @property
    def contact_id(self) -> int | None:
        """The contact's id, where there is a contact."""
        return None if self.contact is None else self.contact.contact_id

    @property
    def channels(self) -> tuple[Channel, ...]:
        """How the contact wants to be reached, the best first; empty: any way."""
        return () if self.contact is None else self.contact.card.channels


def aims_of(submission: Submission, find: FindContact) -> list[Aim]:
    """The contacts that get a message, in the order of the recipients and of their delegates."""
    aims: list[Aim] = []
    for index, recipient in enumerate(submission.recipients):
        if recipient.contact is None:
            aims.append(_aim_at_address(submission, index, find))
            continue
        contact = find(recipient.contact.contact)
        if contact is None:
            aims.append(Aim(index, reason=Reason.CONTACT_NOT_FOUND))
            continue
        ids = _stand_ins(contact, recipient.contact.delegation)
        aims += [Aim(index, each) for each in ids]
        if not ids:
            aims.append(Aim(index, contact.contact_id, Reason.NO_DELEGATE))
    return aims


def reached(
    submission: Submission, aims: Sequence[Aim], find: FindContact, contacts: Mapping[int, Contact]
) -> tuple[Reached, ...]:
    """The same with addresses: the primary one of each kind."""
    return tuple(_reached(submission.recipients[aim.recipient_index], aim, find, contacts) for aim in aims)


def _aim_at_address(submission: Submission, index: int, find: FindContact) -> Aim:
    """Where the contact of an address was removed, the address remains; but nobody is left to count a cap by."""
    contact_id = submission.recipients[index].contact_id
    if contact_id is None or find(ContactRef(contact_id=contact_id)) is not None:
        return Aim(index, contact_id)
    return Aim(index, reason=Reason.CONTACT_NOT_FOUND if submission.cap_frequency else None)


def _stand_ins(contact: Contact, delegation: Delegation) -> list[int]:
    if delegation is Delegation.DIRECT:
        return [contact.contact_id]
    everyone = delegation is Delegation.ALL_CONTACTS
    return [each.contact_id for each in contact.delegates if everyone or each.priority]


def _reached(recipient: Recipient, aim: Aim, find: FindContact, contacts: Mapping[int, Contact]) -> Reached:
    if recipient.contact is None:
        owner = None if aim.contact_id is None else contacts[aim.contact_id]
        return Reached(aim.recipient_index, recipient, owner, reason=aim.reason)
    asked = find(recipient.contact.contact)
    if aim.contact_id is None:
        return Reached(aim.recipient_index, recipient, None, asked, aim.reason)
    contact = contacts[aim.contact_id]
    card = contact.card
    addressed = Recipient(
        phone_number=_first(card.phone_numbers),
        email=_first(card.emails),
        device_token=_first(card.device_tokens),
    )
    return Reached(aim.recipient_index, addressed, contact, asked, aim.reason)


def _first(addresses: Sequence[str]) -> str | None:
    return addresses[0] if addresses else None
