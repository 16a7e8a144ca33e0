"""Broadcasts: one content to many, as something that is started, held and stopped.

Every move of a broadcast is one line of `MOVES`. Time is an argument, in microseconds since 1970 UTC.
"""

from enum import IntEnum

from broker.domain.submission import Submission
from broker.domain.value import value
from broker.domain.vocabulary import Channel

RECIPIENTS_MAX = 10_000
"""Of those that a BroadcastRequest names itself."""

GROUPS_MAX = 100
MESSAGES_PER_MINUTE_MAX = 1_000_000

CATCH_UP_US = 2_000_000
"""A broadcast with a pace makes up for at most so much time that it lost."""

_MINUTE_US = 60_000_000


class BroadcastState(IntEnum):
    """Where a broadcast stands. Numbers are stored, and equal those of the protos."""

    DRAFT = 1
    SCHEDULED = 2
    RUNNING = 3
    SUSPENDED = 4
    STOPPED = 5
    COMPLETED = 6
    DELETED = 7
    UNKNOWN = 8
    """An upstream was to run it, and nobody can tell whether it took it."""


class Move(IntEnum):
    """What is done to a broadcast."""

    EDIT = 1
    START = 2
    """By its owner; it waits where its time has not come."""
    BEGIN = 3
    """Its time has come."""
    SUSPEND = 4
    RESUME = 5
    STOP = 6
    COMPLETE = 7
    """Every message has ended."""
    DELETE = 8


_DRAFT, _SCHEDULED, _RUNNING = BroadcastState.DRAFT, BroadcastState.SCHEDULED, BroadcastState.RUNNING
_SUSPENDED, _STOPPED = BroadcastState.SUSPENDED, BroadcastState.STOPPED
_COMPLETED, _DELETED = BroadcastState.COMPLETED, BroadcastState.DELETED
_UNKNOWN = BroadcastState.UNKNOWN

MOVES: dict[tuple[BroadcastState, Move], BroadcastState] = {
    (_DRAFT, Move.EDIT): _DRAFT,
    (_DRAFT, Move.START): _SCHEDULED,
    (_DRAFT, Move.DELETE): _DELETED,
    (_SCHEDULED, Move.EDIT): _SCHEDULED,
    (_SCHEDULED, Move.START): _RUNNING,
    (_SCHEDULED, Move.BEGIN): _RUNNING,
    (_SCHEDULED, Move.SUSPEND): _SUSPENDED,
    (_SCHEDULED, Move.STOP): _STOPPED,
    (_SCHEDULED, Move.DELETE): _DELETED,
    (_RUNNING, Move.SUSPEND): _SUSPENDED,
    (_RUNNING, Move.STOP): _STOPPED,
    (_RUNNING, Move.COMPLETE): _COMPLETED,
    (_RUNNING, Move.DELETE): _DELETED,
    (_SUSPENDED, Move.RESUME): _RUNNING,
    (_SUSPENDED, Move.STOP): _STOPPED,
    (_SUSPENDED, Move.DELETE): _DELETED,
    (_STOPPED, Move.DELETE): _DELETED,
    (_COMPLETED, Move.DELETE): _DELETED,
    (_UNKNOWN, Move.DELETE): _DELETED,
}
"""The state that follows. What is not here cannot be."""

FINAL = frozenset({_STOPPED, _COMPLETED, _DELETED, _UNKNOWN})
HELD = frozenset({_SUSPENDED, _STOPPED, _DELETED})
"""Nothing of it is handed to a provider."""


def move(
    state: BroadcastState, wish: Move, *, begun: bool = False, ahead: bool = False
) -> BroadcastState | None:
    """The state that follows; None where the move cannot be.

    `begun`: it has run before. `ahead`: its time is still to come. A draft whose time has come runs at once,
    and what was held before it began goes back to waiting.
    """
    following = MOVES.get((state, wish))
    if following is _SCHEDULED and wish is Move.START and not ahead:
        return _RUNNING
    if wish is Move.RESUME and following is _RUNNING and ahead and not begun:
        return _SCHEDULED
    return following


class Stage(IntEnum):
    """How far a broadcast that has begun is with its audience. Numbers are stored."""

    GATHERING = 0
    """Recipients and groups become rows of its own audience."""
    SIFTING = 1
    """Duplicates are looked for."""
    EXPANDING = 2
    """Rows become messages."""
    EXPANDED = 3
    """Every row has become a message."""
    SWEPT = 4
    """It goes on no more, and its audience is gone."""
    HANDED_OVER = 5
    """An upstream was given it, or may have been: from now on it is moved there."""


@value
class Place:
    """How far a stage is: in which source, and after which position of it."""

    stage: Stage
    source: int = 0
    position: int = 0


@value
class Progress:
    """What became of the recipients. Each counter only grows, but for `expected`.

    `expected` are the recipients without duplicates; an estimate until the audience is gathered. `sent` were
    taken by a provider, `failed` ended otherwise than delivered or sent, and `ended` are all that ended.
    """

    expected: int = 0
    duplicates: int = 0
    accepted: int = 0
    refused: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    ended: int = 0

    @property
    def mark(self) -> int:
        """Grows whenever a counter does."""
        return self.accepted + self.refused + self.sent + self.delivered + self.ended + self.duplicates


@value
class Broadcast:
    """A broadcast as it is stored. `detail` says why it was held or stopped by itself.

    `upstream_provider` is the instance whose upstream runs it; empty: the broker does.
    """

    broadcast_id: int
    account_id: int
    name: str
    state: BroadcastState
    schedule_at_us: int | None
    messages_per_minute: int
    upload_id: int | None
    created_at_us: int
    started_at_us: int | None = None
    ended_at_us: int | None = None
    detail: str = ""
    progress: Progress = Progress()
    upstream_provider: str = ""


@value
class Wish:
    """What a caller asks to be sent to whom. The submission has the content and the recipients named in it.

    `draft`: it waits to be started. `messages_per_minute` of 0: as fast as providers take them.
    `upstream_provider` is the instance whose upstream is to run it; empty: the broker does.
    """

    submission: Submission
    name: str = ""
    group_ids: tuple[int, ...] = ()
    upload_id: int | None = None
    messages_per_minute: int = 0
    draft: bool = False
    upstream_provider: str = ""


@value
class Pace:
    """How many messages may have begun: `done` since a time, at a rate."""

    per_minute: int
    since_us: int
    done: int

    def room(self, now_us: int) -> int:
        """How many more may begin now. The first goes at once."""
        return max(0, (now_us - self.since_us) * self.per_minute // _MINUTE_US + 1 - self.done)

    def next_at_us(self) -> int:
        """When the next one may begin."""
        return self.since_us - (-self.done * _MINUTE_US // self.per_minute)

    def caught_up(self, now_us: int) -> "Pace":
        """The same where more time was lost than is made up for: it goes on from there."""
        if now_us - self.next_at_us() <= CATCH_UP_US:
            return self
        return Pace(self.per_minute, now_us, 0)


class AddressKind(IntEnum):
    """What a row's addresses are kept by. Numbers are those of the statement that finds duplicates."""

    PHONE = 1
    EMAIL = 2
    DEVICE = 3


_KIND_OF = {
    Channel.SMS: AddressKind.PHONE,
    Channel.MMS: AddressKind.PHONE,
    Channel.EMAIL: AddressKind.EMAIL,
    Channel.PUSH: AddressKind.DEVICE,
    Channel.IN_APP: AddressKind.DEVICE,
}


def duplicate_kinds(submission: Submission) -> tuple[AddressKind, ...]:
    """By which of their addresses two recipients are the same, the first that they have: as they are sent to."""
    documents = submission.content.documents
    offered = submission.channels or tuple(sorted(documents))
    kinds = [_KIND_OF[channel] for channel in offered if channel in documents]
    return tuple(dict.fromkeys([*kinds, *AddressKind]))
