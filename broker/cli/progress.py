"""How far the messages of one `send` have come, folded from answers and events."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from broker.cli.recipients import Row
from broker.cli.sending import Answer
from broker.cli.wording import printable, refusal_of, status_word, what_happened
from waypost.v1 import event_pb2, message_pb2, status_pb2

_ON_THE_WAY = frozenset({
    status_pb2.MESSAGE_FACT_ACCEPTED,
    status_pb2.MESSAGE_FACT_SCHEDULED,
    status_pb2.MESSAGE_FACT_ATTEMPTED,
    status_pb2.MESSAGE_FACT_HANDED_OVER,
    status_pb2.MESSAGE_FACT_PROGRESSED,
})
"""Facts that say nothing any more once the next one is known."""


@dataclass(slots=True)
class FollowedMessage:
    """One row's message. `telling` are the facts worth keeping; `latest` is what is going on now."""

    recipient: str
    name: str
    message_id: str
    status: str
    ended: bool
    attempts: int = 0
    telling: list[str] = field(default_factory=list)
    latest: str = ""

    def apply(self, event: event_pb2.MessageEvent) -> None:
        """Take an event in. What comes after the end is told, and changes nothing else."""
        self.attempts = max(self.attempts, event.attempt)
        happened = what_happened(event)
        if event.fact in _ON_THE_WAY:
            self.latest = happened
        else:
            self.telling.append(happened)
            self.latest = ""
        if not self.ended:
            self.status, self.ended = status_word(event.status), event.end

    def catch_up(self, message: message_pb2.Message) -> None:
        """Take in where the message stands already, as it does when its request_id was used before."""
        self.status, self.ended, self.attempts = status_word(message.status), message.end, message.attempts
        if message.end:
            self.telling = ["sent before, under the same request_id"]

    @property
    def story(self) -> str:
        """What happened, in one line."""
        told = []
        for each, repeated in groupby(self.telling):
            times = len(list(repeated))
            told.append(each if times == 1 else f"{each} x{times}")
        return ", then ".join([*told, self.latest] if self.latest else told)


class Progress:
    """The messages of one `send`, in the order of the rows."""

    def __init__(self, rows: Sequence[Row], answers: Iterable[Answer]) -> None:
        self.messages = [_followed(rows[answer.row], answer) for answer in answers]
        self.changes = 0
        self._by_id = {each.message_id: each for each in self.messages if each.message_id}
        self._open = {each.message_id for each in self.messages if not each.ended}

    def apply(self, event: event_pb2.Event) -> bool:
        """Take an event in; whether it is about one of these messages."""
        message = self._by_id.get(event.message.message_id) if event.HasField("message") else None
        if message is None:
            return False
        message.apply(event.message)
        self._changed(message)
        return True

    def catch_up(self, current: message_pb2.Message) -> None:
        """Take in where one of these messages stands already."""
        message = self._by_id[current.message_id]
        message.catch_up(current)
        self._changed(message)

    @property
    def open_ids(self) -> list[str]:
        """The messages that have not reached an end."""
        return sorted(self._open)

    @property
    def all_ended(self) -> bool:
        """Whether there is nothing left to wait for."""
        return not self._open

    @property
    def counts(self) -> Counter[str]:
        """How many messages stand where."""
        return Counter(each.status for each in self.messages)

    @property
    def summary(self) -> str:
        """One line: how many there are, and how many stand where."""
        total = len(self.messages)
        counts = ", ".join(
            f"{count:,} {status.lower().replace('_', ' ')}" for status, count in self.counts.most_common()
        )
        return f"{total:,} message{'' if total == 1 else 's'}: {counts}"

    def _changed(self, message: FollowedMessage) -> None:
        self.changes += 1
        if message.ended:
            self._open.discard(message.message_id)


def _followed(row: Row, answer: Answer) -> FollowedMessage:
    """A message as its answer leaves it: on its way, or refused."""
    result, error = answer.result, answer.error
    if result is None:
        assert error is not None
        told = [f"{error.reason}: {printable(error.message)}"]
        return FollowedMessage(row.address, row.name, "", "REFUSED", ended=True, telling=told)
    return FollowedMessage(
        recipient=result.recipient or row.address,
        name=row.name,
        message_id=result.message_id,
        status=status_word(result.status),
        ended=answer.refused,
        telling=[refusal_of(result)] if answer.refused else [],
        latest="" if answer.refused else "accepted",
    )
