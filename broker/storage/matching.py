"""Receipts and the messages they are about: matched by (provider, provider message id), or parked."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from broker.domain.decision import Note, fact_of, following
from broker.domain.lifecycle import Fact
from broker.domain.outcome import Receipt
from broker.domain.value import value
from broker.storage.agenda import Agenda, DueRow
from broker.storage.documents import dump_receipt, load_receipt
from broker.storage.journal import Journal
from broker.storage.transaction import Transaction


@value
class Report:
    """A receipt from a provider instance."""

    provider: str
    receipt: Receipt
    now_us: int


@dataclass(slots=True)
class _Match:
    provider: str
    provider_message_id: str
    message_id: int
    part: int
    reported: bool


def record_receipts(tx: Transaction, items: list[Report]) -> list[bool]:
    """Apply each receipt in order; False for one that matches nothing yet and was parked."""
    now_us = items[0].now_us
    journal, agenda = Journal(tx, now_us), Agenda(tx)
    identities = [(item.provider, item.receipt.provider_message_id) for item in items]
    matches = _find(tx, identities)
    while _load(journal, agenda, matches.values()):  # until its account was held, a match could change
        matches = _find(tx, identities)
    parked = []
    answers = []
    applier = _Applier(journal, agenda)
    for item in items:
        match = matches.get((item.provider, item.receipt.provider_message_id))
        if match is None:
            identity = item.receipt.provider_message_id
            parked.append((item.provider, identity, dump_receipt(item.receipt), now_us))
        else:
            applier.apply(match, item.receipt)
        answers.append(match is not None)
    tx.bulk("park_receipts", parked)
    applier.flush(tx)
    journal.flush()
    agenda.flush()
    return answers


@value
class ProviderId:
    """A provider's id for a message, or for one of its parts (from 1; 0: the whole message)."""

    provider: str
    identity: str
    message_id: int
    part: int


def provider_ids(row: DueRow, identities: Sequence[str]) -> list[ProviderId]:
    """What a provider answered on taking a message: one id, or one for each part."""
    several = len(identities) > 1
    return [
        ProviderId(row.provider, identity, row.message_id, number if several else 0)
        for number, identity in enumerate(identities, start=1)
    ]


def register(tx: Transaction, journal: Journal, agenda: Agenda, ids: Sequence[ProviderId]) -> None:
    """Remember which messages these ids belong to, and apply the receipts that came before."""
    if not ids:
        return
    # A provider that gives an id twice means the last message; no statement may meet one row twice.
    rows = {(each.provider, each.identity): (each.message_id, each.part, False) for each in ids}
    tx.bulk("insert_provider_messages", [(*key, *row) for key, row in rows.items()])
    if tx.one("any_parked_receipt") is not None:
        _match_parked(tx, journal, agenda, [(each.provider, each.identity) for each in ids])


def _match_parked(
    tx: Transaction, journal: Journal, agenda: Agenda, identities: Sequence[tuple[str, str]]
) -> None:
    waiting = _parked(tx, identities)
    if not waiting:
        return
    matches = _find(tx, [(provider, receipt.provider_message_id) for _, provider, receipt in waiting])
    applier = _Applier(journal, agenda)
    for _, provider, receipt in waiting:
        applier.apply(matches[provider, receipt.provider_message_id], receipt)
    applier.flush(tx)
    tx.bulk("unpark_receipts", [(parked_id,) for parked_id, _, _ in waiting])


class _Applier:
    """Receipts applied one after the other to matched messages."""

    def __init__(self, journal: Journal, agenda: Agenda) -> None:
        self._journal = journal
        self._agenda = agenda
        self._reported: list[_Match] = []

    def apply(self, match: _Match, receipt: Receipt) -> None:
        fact, note = fact_of(receipt)
        note = Note(note.reason, part=receipt.part or match.part, code=note.code, text=note.text)
        due = self._agenda.get(match.message_id)
        facts = ((fact, note),) if due is None else following(fact, note)
        for fact, note in facts:
            if fact is Fact.DELIVERED and due is not None:
                fact = self._delivered(match, due)
            if self._journal.happen(match.message_id, fact, note).end:
                self._agenda.done(match.message_id)

    def _delivered(self, match: _Match, due: DueRow) -> Fact:
        """What a delivery means for a message that has not ended: its end, or that of one part of it."""
        if match.reported:
            return Fact.LATE_RECEIPT
        if match.part:
            match.reported = True
            self._reported.append(match)
        if due.pending_parts <= 1:
            return Fact.DELIVERED
        due.pending_parts -= 1
        self._agenda.put(due)
        return Fact.PART_DELIVERED

    def flush(self, tx: Transaction) -> None:
        tx.bulk("mark_reported", [(match.provider, match.provider_message_id) for match in self._reported])


def _load(journal: Journal, agenda: Agenda, matches: Iterable[_Match]) -> bool:
    """Read what the matches are about; whether their accounts were not held before."""
    message_ids = {match.message_id for match in matches}
    locked = journal.load(message_ids)
    agenda.load(message_ids)
    return locked


def _by_provider(identities: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for provider, identity in identities:
        grouped[provider].append(identity)
    return grouped


def _find(tx: Transaction, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], _Match]:
    return {
        (provider, row[0]): _Match(provider, row[0], row[1], row[2], bool(row[3]))
        for provider, wanted in _by_provider(identities).items()
        for row in tx.all("find_provider_messages", provider=provider, provider_message_ids=wanted)
    }


def _parked(tx: Transaction, identities: Iterable[tuple[str, str]]) -> list[tuple[int, str, Receipt]]:
    waiting = [
        (row[0], provider, load_receipt(row[1]))
        for provider, wanted in _by_provider(identities).items()
        for row in tx.all("find_parked_receipts", provider=provider, provider_message_ids=wanted)
    ]
    return sorted(waiting, key=lambda each: each[0])
