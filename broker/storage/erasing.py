"""The verbs of callers on messages that have ended or came in: delete, and mark read or unread.

A deletion erases what a message says and to whom: its address, its data, the words of providers about it, and
where the index has them. The content is shared by the messages of one submission: it is shown for none that is
deleted, and is erased with the last of them; what a broadcast says stays as long as the broadcast. All else stays,
so that what was counted can be counted again.
"""

from collections.abc import Sequence

from broker.domain.correlation import address_keys, personal_keys
from broker.domain.ids import ID_MAX
from broker.domain.lifecycle import ENDS, Fact, State
from broker.domain.value import value
from broker.domain.vocabulary import Direction
from broker.storage.history import TIMELINE_EVENTS_MAX, NoSuchMessage
from broker.storage.journal import Journal
from broker.storage.links import erase_links, erase_told_clicks
from broker.storage.transaction import Transaction
from broker.storage.ways import read_addresses_of_ways


@value
class Deletion:
    """A caller's wish to erase a message."""

    account_id: int
    message_id: int
    now_us: int


@value
class Deleted:
    """It is erased, now or since before."""


@value
class NotEnded:
    """Something may still happen to it."""

    state: State


@value
class Mark:
    """A caller's wish to mark a message read, or unread."""

    account_id: int
    message_id: int
    read: bool
    now_us: int


@value
class Marked:
    """It is marked so."""


@value
class NotMarkable:
    """It did not come in, so that nobody here reads it."""


def delete(tx: Transaction, items: list[Deletion]) -> list[Deleted | NotEnded | NoSuchMessage]:
    """Erase messages that have ended. To do it again changes nothing."""
    journal = Journal(tx, items[0].now_us)
    message_ids = [item.message_id for item in items]
    journal.load(message_ids)
    eraser = _Eraser(tx, journal, message_ids)
    answers: list[Deleted | NotEnded | NoSuchMessage] = []
    for item in items:
        head = journal.find(item.message_id)
        if head is None or head.account_id != item.account_id:
            answers.append(NoSuchMessage())
        elif head.state not in ENDS:
            answers.append(NotEnded(head.state))
        else:
            eraser.erase(item)
            answers.append(Deleted())
    journal.flush()
    eraser.flush()
    return answers


class _Eraser:
    """What is left of deleted messages, written in bulk."""

    def __init__(self, tx: Transaction, journal: Journal, message_ids: Sequence[int]) -> None:
        self._tx = tx
        self._journal = journal
        self._rows = {row[0]: row for row in tx.all("messages_to_erase", message_ids=list(message_ids))}
        self._other_addresses = read_addresses_of_ways(tx, message_ids)
        self._erased: dict[int, int] = {}

    def erase(self, item: Deletion) -> None:
        _, account_id, _, recipient, data, deleted_at, last_sequence, writer, _ = self._rows[item.message_id]
        if deleted_at is not None or item.message_id in self._erased:
            return
        self._erased[item.message_id] = item.now_us
        self._journal.happen(item.message_id, Fact.DELETED)
        chain = self._tx.all(
            "timeline", account_id=account_id, last_sequence=last_sequence, events_max=TIMELINE_EVENTS_MAX
        )
        self._tx.all("erase_provider_texts", account_id=account_id, sequences=[event[0] for event in chain])
        erase_told_clicks(self._tx, account_id, [event[0] for event in chain if event[3] == Fact.CLICKED])
        span = self._tx.one("message_span", account_id=account_id, message_id=item.message_id)
        if span is not None:
            others = address_keys(self._other_addresses.get(item.message_id, ()))
            keys = dict.fromkeys((*personal_keys(recipient, data, writer), *others))
            self._tx.bulk("delete_index_rows", [(span[0], *key, item.message_id) for key in keys])

    def flush(self) -> None:
        if not self._erased:
            return
        self._tx.bulk("erase_messages", list(self._erased.items()))
        self._tx.all("delete_message_tokens", message_ids=list(self._erased))
        people = {self._rows[message_id][3] for message_id in self._erased}
        self._tx.all("forget_written", people=sorted(people), message_ids=list(self._erased))
        came_in = [row[2] for row in map(self._rows.__getitem__, self._erased) if row[7]]
        if came_in:
            self._tx.all("erase_writers", submission_ids=came_in)
        self._tx.all("erase_ways", message_ids=list(self._erased))
        erase_links(self._tx, list(self._erased))
        # The messages of a broadcast are not next to what they share, and some of it may still be to be sent.
        rows = [self._rows[message_id] for message_id in self._erased]
        submission_ids = {row[2] for row in rows if row[8] is None}
        wordless = [
            each
            for each in submission_ids
            if self._tx.one("any_living_message", submission_id=each, highest_id=ID_MAX) is None
        ]
        if wordless:
            self._tx.all("erase_contents", submission_ids=wordless)


def mark(tx: Transaction, items: list[Mark]) -> list[Marked | NotMarkable | NoSuchMessage]:
    """Mark messages that came in read or unread; the last wish for a message counts."""
    rows = tx.all("message_directions", message_ids=[item.message_id for item in items])
    found = {(row[1], row[0]): row[2] for row in rows}
    answers: list[Marked | NotMarkable | NoSuchMessage] = []
    marked: dict[int, int | None] = {}
    for item in items:
        direction = found.get((item.account_id, item.message_id))
        if direction is None:
            answers.append(NoSuchMessage())
        elif direction != Direction.INBOUND:
            answers.append(NotMarkable())
        else:
            marked[item.message_id] = item.now_us if item.read else None
            answers.append(Marked())
    tx.bulk("mark_messages", list(marked.items()))
    return answers
