"""Contacts within one transaction: loaded at once, changed in memory, written in bulk.

What is looked up (external ids, addresses, names) has tables of its own; `flush` brings them in line with
what changed on the cards.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable

from broker.domain.directory import Contact, ContactRef, Delegate, address_keys, name_keys
from broker.storage.documents import dump_card, load_card
from broker.storage.transaction import Transaction

_Row = tuple[object, ...]


class ContactRows:
    """What a verb works with. Load all that it may ask for before it asks."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._stored: dict[int, Contact] = {}
        self._now: dict[int, Contact] = {}
        self._owners: dict[tuple[int, str], int] = {}
        self._sizes: Counter[int] = Counter()
        self._delegators: Counter[int] = Counter()

    def load(
        self, named: Collection[tuple[int, ContactRef]], external_ids: Iterable[tuple[int, str]] = ()
    ) -> None:
        """Read the contacts that (account, ref) name, and who has each (account, external id)."""
        wanted = {*external_ids, *((account_id, ref.external_id) for account_id, ref in named)}
        self._owners = find_owners(self._tx, wanted)
        ids = {self._id_of(account_id, ref) for account_id, ref in named} - {None}
        self._stored = read_contacts_by_id(self._tx, [each for each in ids if each is not None])
        self._now = dict(self._stored)

    def load_counts(self, account_ids: set[int], delegate_ids: set[int]) -> None:
        """Read how many contacts accounts have, and how many name someone as their delegate."""
        for account_id, contacts, _ in self._tx.all("directory_sizes", account_ids=sorted(account_ids)):
            self._sizes[account_id] = contacts
        if delegate_ids:
            rows = self._tx.all("count_delegators", contact_ids=sorted(delegate_ids))
            self._delegators.update(dict(rows))

    def find(self, account_id: int, ref: ContactRef) -> Contact | None:
        """The account's contact of that name as it stands in this transaction."""
        contact_id = self._id_of(account_id, ref)
        found = None if contact_id is None else self._now.get(contact_id)
        return found if found is not None and found.account_id == account_id else None

    def owner(self, account_id: int, external_id: str) -> int | None:
        """The contact that has an external id."""
        return self._owners.get((account_id, external_id))

    def count(self, account_id: int) -> int:
        """How many contacts the account has."""
        return self._sizes[account_id]

    def delegators(self, contact_id: int) -> int:
        """How many contacts name this one as their delegate."""
        return self._delegators[contact_id]

    def put(self, contact: Contact) -> None:
        """Add a contact, or write it anew."""
        before = self._now.get(contact.contact_id)
        if before is None:
            self._sizes[contact.account_id] += 1
        else:
            self._let_go(before)
        self._now[contact.contact_id] = contact
        for external_id in contact.card.external_ids:
            self._owners[contact.account_id, external_id] = contact.contact_id
        self._delegators.update(each.contact_id for each in contact.delegates)

    def remove(self, contact: Contact) -> None:
        """Take a contact out of the directory."""
        self._let_go(self._now.pop(contact.contact_id))

    def flush(self) -> None:
        """Write it all."""
        before = {key: each for key, each in self._stored.items() if self._now.get(key) != each}
        after = {key: each for key, each in self._now.items() if self._stored.get(key) != each}
        for delete, insert, rows_of in _LOOKED_UP:
            old = {row for each in before.values() for row in rows_of(each)}
            new = {row for each in after.values() for row in rows_of(each)}
            self._tx.bulk(delete, sorted(old - new))
            self._tx.bulk(insert, sorted(new - old))
        self._write_contacts(before, after)
        self._write_delegates(before, after)
        self._remove_memberships([(each,) for each in sorted(before.keys() - after.keys())])
        self._count(before, after)

    def _write_contacts(self, before: dict[int, Contact], after: dict[int, Contact]) -> None:
        self._tx.bulk(
            "insert_contacts",
            [
                (
                    each.contact_id,
                    each.account_id,
                    each.version,
                    each.created_at_us,
                    each.updated_at_us,
                    dump_card(each.card),
                )
                for key, each in after.items()
                if key not in before
            ],
        )
        self._tx.bulk(
            "update_contacts",
            [
                (each.contact_id, each.version, each.updated_at_us, dump_card(each.card))
                for key, each in after.items()
                if key in before
            ],
        )
        self._tx.bulk("delete_contacts", [(key,) for key in before if key not in after])

    def _write_delegates(self, before: dict[int, Contact], after: dict[int, Contact]) -> None:
        gone = [key for key in before if key not in after]
        moved = [key for key in after if key not in before or before[key].delegates != after[key].delegates]
        self._tx.bulk("delete_delegates_of", [(key,) for key in (*gone, *moved) if key in before])
        rows = [
            (after[key].account_id, key, each.contact_id, position, each.relation, int(each.priority))
            for key in moved
            for position, each in enumerate(after[key].delegates)
        ]
        self._tx.bulk("insert_delegates", rows)
        self._tx.bulk("delete_delegates_by", [(key,) for key in gone])

    def _remove_memberships(self, gone: list[_Row]) -> None:
        if not gone:
            return
        left = self._tx.all("count_contacts_in_groups", contact_ids=[row[0] for row in gone])
        self._tx.bulk("resize_groups", [(group_id, -count) for group_id, count in left])
        self._tx.bulk("delete_memberships", gone)

    def _count(self, before: dict[int, Contact], after: dict[int, Contact]) -> None:
        growth: Counter[int] = Counter(each.account_id for each in after.values())
        growth.subtract(Counter(each.account_id for each in before.values()))
        newest: dict[int, int] = {}
        for each in after.values():
            newest[each.account_id] = max(newest.get(each.account_id, 0), each.contact_id)
        rows = [(account_id, count, 0, newest.get(account_id, 0)) for account_id, count in growth.items()]
        self._tx.bulk("grow_directories", [row for row in rows if row[1]])

    def _id_of(self, account_id: int, ref: ContactRef) -> int | None:
        if ref.contact_id is not None:
            return ref.contact_id
        return self._owners.get((account_id, ref.external_id))

    def _let_go(self, contact: Contact) -> None:
        for external_id in contact.card.external_ids:
            self._owners.pop((contact.account_id, external_id), None)
        self._delegators.subtract(each.contact_id for each in contact.delegates)


def find_owners(tx: Transaction, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The contacts that have these (account, external id)s."""
    pairs = sorted({pair for pair in wanted if pair[1]})
    rows = tx.all("find_external_ids", wanted=pairs) if pairs else ()
    return {(account_id, external_id): contact_id for account_id, external_id, contact_id in rows}


def read_contacts_by_id(tx: Transaction, contact_ids: Collection[int]) -> dict[int, Contact]:
    """Those of these contacts that there are, whoever they belong to."""
    ids = sorted(contact_ids)
    rows = tx.all("contacts_by_id", contact_ids=ids) if ids else []
    delegates: dict[int, list[Delegate]] = {row[0]: [] for row in rows}
    for contact_id, delegate_id, relation, priority in (
        tx.all("delegates_of_contacts", contact_ids=list(delegates)) if rows else ()
    ):
        delegates[contact_id].append(Delegate(delegate_id, relation, bool(priority)))
    return {
        row[0]: Contact(row[0], row[1], row[2], row[3], row[4], load_card(row[5]), tuple(delegates[row[0]]))
        for row in rows
    }


def _external_id_rows(contact: Contact) -> list[_Row]:
    return [(contact.account_id, each, contact.contact_id) for each in contact.card.external_ids]


def _address_rows(contact: Contact) -> list[_Row]:
    return [(contact.account_id, each, contact.contact_id) for each in address_keys(contact.card)]


def _name_rows(contact: Contact) -> list[_Row]:
    names = name_keys(contact.card)
    return [
        (contact.account_id, name, contact.contact_id, previous)
        for previous, name in zip(("", *names), names, strict=False)
    ]


_LOOKED_UP: tuple[tuple[str, str, Callable[[Contact], list[_Row]]], ...] = (
    ("delete_external_ids", "insert_external_ids", _external_id_rows),
    ("delete_addresses", "insert_addresses", _address_rows),
    ("delete_names", "insert_names", _name_rows),
)
"""The tables beside `contacts`: how rows go and come, and a contact's rows in each."""
