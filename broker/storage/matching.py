"""Receipts and the messages they are about: matched by (provider, provider message id), or parked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from broker.domain.decision import Note, fact_of, following
from broker.domain.lifecycle import Fact
from broker.domain.outcome import Receipt
from broker.domain.spelling import Candidate, IdSpelling, best_candidates, folded, lookup_forms
from broker.domain.value import value
from broker.storage.agenda import Agenda, DueRow
from broker.storage.consenting import record_consent
from broker.storage.journal import Journal
from broker.storage.learning import TellingReceipt, told_by_receipts
from broker.storage.parking import any_parked, park, parked_at, unpark
from broker.storage.transaction import Row, Transaction
from broker.storage.ways import Ways


@value
class Report:
    """A receipt from a provider instance, whose receipts spell ids as `spelling` says."""

    provider: str
    receipt: Receipt
    now_us: int
    spelling: IdSpelling = IdSpelling.EXACT


@value
class Matched:
    """The receipt was applied to its message."""


@value
class Parked:
    """The receipt matches nothing yet, or (`ambiguous`) several messages alike; `waiting` are parked now."""

    ambiguous: bool
    waiting: int


MATCHED = Matched()


@dataclass(slots=True)
class _Match:
    provider: str
    provider_message_id: str
    message_id: int
    part: int
    reported: bool
    way: int


def record_receipts(tx: Transaction, items: list[Report]) -> list[Matched | Parked]:
    """Apply each receipt in order, or park it."""
    now_us = items[0].now_us
    journal, agenda = Journal(tx, now_us), Agenda(tx)
    ways = Ways(tx, journal, agenda, now_us)
    found = _find(tx, items)
    while _load(journal, agenda, found):  # until its account was held, a match could change
        found = _find(tx, items)
    applier = _Applier(journal, agenda, ways)
    parked = []
    for item, fits in zip(items, found, strict=True):
        if len(fits) == 1:
            applier.apply(fits[0], item.receipt)
        else:
            place = folded(item.spelling, item.receipt.provider_message_id)
            parked.append((item.provider, place, item.receipt))
    applier.flush(tx, now_us)
    journal.flush()
    agenda.flush()
    ways.flush()
    waiting = park(tx, parked, now_us)
    return [MATCHED if len(fits) == 1 else Parked(bool(fits), waiting) for fits in found]


def forget_provider_ids(tx: Transaction, oldest_id: int, ended_before_us: int, rows_max: int) -> int:
    """Drop provider ids of messages that ended before; answers how many went."""
    gone = tx.all(
        "forget_provider_messages", oldest_id=oldest_id, ended_before=ended_before_us, rows_max=rows_max
    )
    forget_spellings(tx, gone)
    return len(gone)


def forget_spellings(tx: Transaction, gone: Sequence[Row]) -> None:
    """Drop the other spellings of ids that are gone, given as provider and id."""
    if gone and tx.one("any_provider_spelling") is not None:
        # A plugin may have declared another spelling since, so every form goes that there can be.
        forms = {
            (provider, folded(spelling, identity), identity)
            for provider, identity in gone
            for spelling in (IdSpelling.CASELESS, IdSpelling.NUMERIC)
        }
        tx.bulk("forget_provider_spellings", sorted(forms))


@value
class ProviderId:
    """A provider's id for a message on a way, or for one of its parts (from 1; 0: the whole message)."""

    provider: str
    identity: str
    message_id: int
    part: int
    way: int


def provider_ids(row: DueRow, identities: Sequence[str], aliases: int = 0) -> list[ProviderId]:
    """What a provider answered on taking a message: one id and so many aliases of it, or an id for each part."""
    several = len(identities) - aliases > 1
    return [
        ProviderId(row.provider, identity, row.message_id, number if several else 0, row.way)
        for number, identity in enumerate(identities, start=1)
    ]


def loose_spellings(pairs: Iterable[tuple[str, IdSpelling]]) -> dict[str, IdSpelling]:
    """Of providers and their spellings, those that are not exact: usually none."""
    return {provider: spelling for provider, spelling in pairs if spelling is not IdSpelling.EXACT}


def register(
    tx: Transaction,
    journal: Journal,
    agenda: Agenda,
    ways: Ways,
    ids: Sequence[ProviderId],
    spellings: Mapping[str, IdSpelling],
    now_us: int,
) -> None:
    """Remember which messages these ids belong to, and apply the receipts that came before.

    `spellings` names the providers whose receipts may spell ids otherwise.
    """
    if not ids:
        return
    # A provider that gives an id twice means the last message; no statement may meet one row twice.
    rows = {(each.provider, each.identity): (each.message_id, each.part, False, each.way) for each in ids}
    tx.bulk("insert_provider_messages", [(*key, *row) for key, row in rows.items()])
    if spellings:
        forms = {
            (each.provider, folded(spellings[each.provider], each.identity), each.identity)
            for each in ids
            if each.provider in spellings
        }
        tx.bulk("insert_provider_spellings", sorted(forms))
    if any_parked(tx):
        _match_parked(tx, _Applier(journal, agenda, ways), ids, spellings, now_us)


def _match_parked(
    tx: Transaction,
    applier: "_Applier",
    ids: Sequence[ProviderId],
    spellings: Mapping[str, IdSpelling],
    now_us: int,
) -> None:
    """Apply what was parked for these ids; what nobody can tell yet stays parked."""
    places = [
        (each.provider, form)
        for each in ids
        for form in {
            each.identity,  # where it was parked before the plugin declared another spelling
            *lookup_forms(spellings.get(each.provider, IdSpelling.EXACT), each.identity),
        }
    ]
    waiting = [
        (parked_id, provider, spellings.get(provider, IdSpelling.EXACT), receipt)
        for parked_id, provider, receipt in parked_at(tx, places)
    ]
    if not waiting:
        return
    known = _Known(tx, [(provider, spelling, receipt) for _, provider, spelling, receipt in waiting])
    new = {(each.provider, each.identity) for each in ids}
    gone = []
    for parked_id, provider, spelling, receipt in waiting:
        fits = known.meant(provider, spelling, receipt)
        if len(fits) == 1 and (provider, fits[0].provider_message_id) in new:
            applier.apply(fits[0], receipt)
            gone.append(parked_id)
    applier.flush(tx, now_us)
    unpark(tx, gone)


class _Known:
    """The registered ids that some receipts may mean. Each is one object, so that what befalls it is seen."""

    def __init__(self, tx: Transaction, wanted: Iterable[tuple[str, IdSpelling, Receipt]]) -> None:
        exact: defaultdict[str, set[str]] = defaultdict(set)
        spelled: defaultdict[tuple[str, IdSpelling], set[str]] = defaultdict(set)
        for provider, spelling, receipt in wanted:
            if spelling is IdSpelling.EXACT:
                exact[provider].add(receipt.provider_message_id)
            else:
                spelled[provider, spelling].add(receipt.provider_message_id)
        self._matches: dict[tuple[str, str], _Match] = {}
        self._by_form: defaultdict[tuple[str, IdSpelling, str], list[Candidate]] = defaultdict(list)
        for provider, wished in exact.items():
            rows = tx.all("find_provider_messages", provider=provider, provider_message_ids=list(wished))
            self._matches.update(((provider, row[0]), _match(provider, row)) for row in rows)
        for (provider, spelling), wished in spelled.items():
            sought = {form for identity in wished for form in lookup_forms(spelling, identity)}
            rows = tx.all(
                "find_spelled_messages",
                provider=provider,
                provider_message_ids=list(wished),
                forms=list(sought),
            )
            for row in rows:
                self._matches[provider, row[0]] = match = _match(provider, row)
                form = folded(spelling, match.provider_message_id)
                candidate = Candidate(match.provider_message_id, row[5], match.part)
                self._by_form[provider, spelling, form].append(candidate)

    def meant(self, provider: str, spelling: IdSpelling, receipt: Receipt) -> list[_Match]:
        """What a receipt is about: one match, none that is known, or several of which nobody can tell."""
        identity = receipt.provider_message_id
        if spelling is IdSpelling.EXACT:
            match = self._matches.get((provider, identity))
            return [] if match is None else [match]
        candidates = [
            each
            for form in lookup_forms(spelling, identity)
            for each in self._by_form.get((provider, spelling, form), ())
        ]
        best = best_candidates(spelling, identity, receipt.recipient, receipt.part, candidates)
        return [self._matches[provider, each.identity] for each in best]


def _match(provider: str, row: Row) -> _Match:
    return _Match(provider, row[0], row[1], row[2], bool(row[3]), row[4])


class _Applier:
    """Receipts applied one after the other to matched messages."""

    def __init__(self, journal: Journal, agenda: Agenda, ways: Ways) -> None:
        self._journal = journal
        self._agenda = agenda
        self._ways = ways
        self._reported: list[_Match] = []
        self._applied: list[TellingReceipt] = []

    def apply(self, match: _Match, receipt: Receipt) -> None:
        self._applied.append((match.message_id, match.way, match.provider, receipt))
        fact, note = fact_of(receipt)
        note = Note(note.reason, part=receipt.part or match.part, code=note.code, text=note.text)
        due = self._agenda.get(match.message_id)
        facts = ((fact, note),) if due is None else following(fact, note)
        for fact, note in facts:
            if due is not None and match.way < due.way:
                fact, note = self._by_way_left(match, due, fact, note)
            elif due is not None and fact is Fact.DELIVERED:
                fact = self._delivered(match, due)
            elif due is not None and self._ways.go_on(due, fact, note):
                continue
            if self._journal.happen(match.message_id, fact, note).end:
                self._agenda.done(match.message_id)

    def _delivered(self, match: _Match, due: DueRow) -> Fact:
        """What a delivery means for a message that has not ended: its end, or that of one part of it."""
        if match.reported:
            return Fact.LATE_RECEIPT
        if match.part:
            self._report(match)
        if due.pending_parts <= 1:
            return Fact.DELIVERED
        due.pending_parts -= 1
        self._agenda.put(due)
        return Fact.PART_DELIVERED

    def _by_way_left(self, match: _Match, due: DueRow, fact: Fact, note: Note) -> tuple[Fact, Note]:
        """What a receipt means for a message that went on by another channel: who got it by the first has it.

        That it could not be delivered there is nothing new, and says nothing of where it is now.
        """
        if fact is Fact.DELIVERED:
            fact = self._part_left(match, due) if match.part else fact
        elif fact is Fact.UNDELIVERED:
            fact = Fact.LATE_RECEIPT
        if fact is Fact.DELIVERED:
            self._ways.back_to(due, match.way, match.provider)
            return fact, note
        where = f"from {self._ways.channel(due, match.way).name}, which it left"
        return fact, Note(note.reason, where, part=note.part, code=note.code, text=note.text)

    def _part_left(self, match: _Match, due: DueRow) -> Fact:
        """What the delivery of one part means by a channel that the message left."""
        if match.reported:
            return Fact.LATE_RECEIPT
        left = self._ways.parts_left(due, match.provider, match.way)
        self._report(match)
        place = (match.message_id, match.provider, match.way)
        told = sum((each.message_id, each.provider, each.way) == place for each in self._reported)
        return Fact.DELIVERED if left <= told else Fact.PART_DELIVERED

    def _report(self, match: _Match) -> None:
        match.reported = True
        self._reported.append(match)

    def flush(self, tx: Transaction, now_us: int) -> None:
        record_consent(tx, told_by_receipts(tx, self._applied, now_us))
        tx.bulk("mark_reported", [(match.provider, match.provider_message_id) for match in self._reported])


def _find(tx: Transaction, items: Sequence[Report]) -> list[list[_Match]]:
    """What each receipt may be about."""
    known = _Known(tx, [(item.provider, item.spelling, item.receipt) for item in items])
    return [known.meant(item.provider, item.spelling, item.receipt) for item in items]


def _load(journal: Journal, agenda: Agenda, found: Iterable[list[_Match]]) -> bool:
    """Read what the receipts are surely about; whether the accounts of that were not held before."""
    message_ids = {fits[0].message_id for fits in found if len(fits) == 1}
    locked = journal.load(message_ids)
    agenda.load(message_ids)
    return locked
