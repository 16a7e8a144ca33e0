"""What can go wrong with one request, as values. `Upstream.fail` says which request.

Each fault belongs to a moment of the exchange: when a connection was accepted, when a part of the body
has arrived, or when all of the request has. A request without a body has its second moment at its end.
"""

from dataclasses import dataclass, field
from enum import Enum
from threading import Event

from broker.testing.upstream.exchange import Answer


class Moment(Enum):
    """When a fault strikes."""

    ACCEPTED = "a connection was accepted; nothing was read"
    MID_BODY = "the head and the first bytes of the body were read"
    WHOLE = "the whole request was read"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong."""

    @property
    def moment(self) -> Moment:
        """When it strikes."""
        return Moment.WHOLE


@dataclass(frozen=True, slots=True)
class ResetOnAccept(Fault):
    """The connection is accepted and reset before anything was read."""

    @property
    def moment(self) -> Moment:
        """At once."""
        return Moment.ACCEPTED


@dataclass(frozen=True, slots=True)
class ResetMidBody(Fault):
    """The connection is reset when the first bytes of the body have arrived."""

    @property
    def moment(self) -> Moment:
        """Within the request."""
        return Moment.MID_BODY


@dataclass(frozen=True, slots=True)
class ResetAfterBody(Fault):
    """The whole request arrives; then the connection is reset."""


@dataclass(frozen=True, slots=True)
class CloseAfterBody(Fault):
    """The whole request arrives; then the connection is closed in an orderly way, without an answer."""


@dataclass(frozen=True, slots=True)
class Hang(Fault):
    """Nothing is answered, and the connection stays open: `reading` says whether the request is read."""

    reading: bool = True

    @property
    def moment(self) -> Moment:
        """At once, where the request is not read."""
        return Moment.WHOLE if self.reading else Moment.ACCEPTED


@dataclass(frozen=True, slots=True)
class Hold(Fault):
    """The right answer comes when `release` is set, or after `seconds_max`; then `expired` is set."""

    release: Event = field(default_factory=Event)
    expired: Event = field(default_factory=Event)
    seconds_max: float = 2.0


@dataclass(frozen=True, slots=True)
class Late(Fault):
    """The right answer comes so many seconds late."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Say(Fault):
    """Another answer instead of the right one; the handler is not asked."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Echo(Fault):
    """An answer that quotes all of the request, as error pages do; the handler is not asked."""

    status: int = 500


@dataclass(frozen=True, slots=True)
class Drip(Fault):
    """A head at once, and then a body without an end, one byte after each pause."""

    pause_s: float = 0.01


@dataclass(frozen=True, slots=True)
class NotHttp(Fault):
    """Bytes that are no HTTP, and the end."""

    data: bytes = b"\x15\x03\x01\x00\x02\x02\x0a SSH-2.0 -ERR \xff\xfe\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Truncated(Fault):
    """The right answer, but the connection ends in the middle of the body that its head announced."""


@dataclass(frozen=True, slots=True)
class Endless(Fault):
    """A body of up to so many bytes, as fast as it is read. `Upstream.bytes_written` tells how far it came."""

    bytes_max: int = 64 * 1024 * 1024
