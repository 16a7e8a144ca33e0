"""The gatherer: recipients that a request names, and members of groups, as rows of a broadcast's own audience."""

from collections.abc import Sequence
from dataclasses import replace

from broker.delivery.policies import Policies
from broker.domain.audience import AudienceRow, row_of
from broker.domain.broadcast import Place, Stage, Wish
from broker.domain.directory import Contact
from broker.domain.reaching import Reached, TooManyPeople
from broker.domain.submission import Recipient
from broker.errors import BrokerError, ErrorReason
from broker.storage.broadcast_rows import BroadcastRow
from broker.storage.contact_rows import read_contacts_by_id
from broker.storage.expanding import Gathered, gather, read_audience_size
from broker.storage.groups import read_group
from broker.storage.people import read_reach
from broker.storage.store import Store
from broker.storage.transaction import Transaction

RECIPIENTS_BATCH = 1_000
NAMED_BATCH = 40
"""Recipients who are contacts: each can stand for 20 others, and a look into the directory finds 1,000 people."""

MEMBERS_BATCH = 500


class Gatherer:
    """One batch at a time. Source 0 is the request's own recipients, the others are its groups in order."""

    def __init__(self, store: Store, policies: Policies) -> None:
        self._store = store
        self._policies = policies

    async def gather(self, row: BroadcastRow, wish: Wish) -> None:
        """Store the next batch, and the place after it."""
        place, account_id = row.place, row.broadcast.account_id
        if place.source == 0:
            people, position = await self._recipients(wish, place.position)
        else:
            group_id = wish.group_ids[place.source - 1]
            people, position = await self._store.read(_read_members, account_id, group_id, place.position)
        if position is not None:
            then = Place(Stage.GATHERING, place.source, position)
        elif place.source < len(wish.group_ids):
            then = Place(Stage.GATHERING, place.source + 1, 0)
        else:
            then = Place(Stage.SIFTING)
        broadcast_id = row.broadcast.broadcast_id
        size = await self._store.read(read_audience_size, broadcast_id) if people else 0
        names = wish.submission.content.names
        region = await self._policies.region_of(account_id)
        rows: tuple[AudienceRow, ...] = tuple(
            row_of(size + at, one, names, region) for at, one in enumerate(people, 1)
        )
        await self._store.write(gather, [Gathered(broadcast_id, place, then, rows)], [account_id])

    async def _recipients(self, wish: Wish, position: int) -> tuple[Sequence[Reached], int | None]:
        """Whom the request's next recipients reach, and where to go on; None: there are no more."""
        given = wish.submission.recipients
        size = NAMED_BATCH if wish.submission.names_contacts else RECIPIENTS_BATCH
        batch = given[position : position + size]
        following = position + size if position + size < len(given) else None
        if not wish.submission.names_contacts:
            return [Reached(at, each) for at, each in enumerate(batch)], following
        asked = replace(wish.submission, recipients=batch)
        (reach,) = await self._store.read(read_reach, [asked])
        if isinstance(reach, TooManyPeople):
            raise BrokerError(ErrorReason.INTERNAL_ERROR, "a batch reaches more people than can be")
        # What the caller said of a recipient is also said of those who stand in for it.
        return [
            replace(one, recipient=_with_wishes(one, batch[one.recipient_index])) for one in reach
        ], following


def _with_wishes(one: Reached, given: Recipient) -> Recipient:
    return replace(
        one.recipient,
        schedule_at_us=given.schedule_at_us,
        client_reference=given.client_reference,
        data=given.data,
        tokens=given.tokens,
    )


def _read_members(
    tx: Transaction, account_id: int, group_id: int, after: int
) -> tuple[Sequence[Reached], int | None]:
    """The next members of a group, and where to go on; nobody of a group that is gone."""
    if read_group(tx, account_id, group_id) is None:
        return (), None
    rows = tx.all(
        "contacts_by_group",
        account_id=account_id,
        group_id=group_id,
        after_id=after,
        rows_max=MEMBERS_BATCH,
    )
    contacts = read_contacts_by_id(tx, [row[0] for row in rows])
    people = [_member(contacts[row[0]]) for row in rows if row[0] in contacts]
    return people, rows[-1][0] if len(rows) == MEMBERS_BATCH else None


def _member(contact: Contact) -> Reached:
    card = contact.card
    recipient = Recipient(
        phone_number=next(iter(card.phone_numbers), None),
        email=next(iter(card.emails), None),
        device_token=next(iter(card.device_tokens), None),
    )
    return Reached(0, recipient, contact, contact)
