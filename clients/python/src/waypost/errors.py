"""How a call fails. One exception for each kind of failure, all of them WaypostError.

Branch on the class, or on `reason`, which is stable: the broker's own word, such as "REQUEST_ID_REUSED".
What concerns one recipient is no exception but that recipient's result.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a field broke. `field` is a path from the request, as "recipients[2].tokens"."""

    field: str
    rule: str


class WaypostError(Exception):
    """A call failed.

    code: the gRPC code's name.
    reason: the broker's stable reason; where the broker itself said nothing, the code's name.
    message: for people.
    violations: each rule that the request broke.
    retry_after: how long the broker asks to wait before the same call is worth repeating.
    metadata: what else the broker said, as "oldest_cursor" with CURSOR_EXPIRED.
    """

    def __init__(
        self,
        code: str,
        reason: str,
        message: str,
        violations: tuple[Violation, ...] = (),
        retry_after: timedelta | None = None,
        metadata: Mapping[str, str] = _NOTHING,
    ) -> None:
        # All of it in args: so the exception can be pickled.
        super().__init__(code, reason, message, violations, retry_after, dict(metadata))
        self.code = code
        self.reason = reason
        self.message = message
        self.violations = violations
        self.retry_after = retry_after
        self.metadata = metadata

    def __str__(self) -> str:
        rules = "".join(f"\n  {each.field}: {each.rule}" for each in self.violations)
        return f"{self.reason}: {self.message}{rules}"

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed a little later. The client went on trying for its `timeout`."""
        return self.retry_after is not None


class InvalidArgument(WaypostError):
    """The request breaks a rule; see `violations`."""


class Unauthenticated(WaypostError):
    """The key is missing, unknown, expired or revoked."""


class PermissionDenied(WaypostError):
    """The key's role does not allow the call."""


class NotFound(WaypostError):
    """There is no such thing, or it is another account's."""


class AlreadyExists(WaypostError):
    """The request_id was used with another payload, or there is such a contact or group already."""


class FailedPrecondition(WaypostError):
    """It cannot be done as things stand, as cancelling a message that a provider has."""


class Aborted(WaypostError):
    """Somebody else changed it meanwhile: read it again, and decide again."""


class OutOfRange(WaypostError):
    """The cursor is older than the event log, or ahead of it."""


class ResourceExhausted(WaypostError):
    """The broker is at a limit."""


class NotImplementedByBroker(WaypostError):
    """The broker, at its version, does not offer the call."""


class Unavailable(WaypostError):
    """The broker cannot be reached, drains, or the connection was lost.

    Where the connection was lost, what was asked may have been done. A send is safe to repeat with the
    same request_id.
    """

    @property
    def transient(self) -> bool:
        """Always."""
        return True


class DeadlineExceeded(WaypostError):
    """The broker did not answer within `timeout`. What was asked may have been done."""


class InternalError(WaypostError):
    """A defect in the broker; its log has the details."""


class ClientClosed(WaypostError):
    """The client was closed while it waited, or before the call."""

    def __init__(self) -> None:
        super().__init__("CANCELLED", "CLIENT_CLOSED", "the client was closed")

    def __reduce__(self) -> tuple[type["ClientClosed"], tuple[()]]:
        return ClientClosed, ()


KINDS: Mapping[str, type[WaypostError]] = {
    "INVALID_ARGUMENT": InvalidArgument,
    "UNAUTHENTICATED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied,
    "NOT_FOUND": NotFound,
    "ALREADY_EXISTS": AlreadyExists,
    "FAILED_PRECONDITION": FailedPrecondition,
    "ABORTED": Aborted,
    "OUT_OF_RANGE": OutOfRange,
    "RESOURCE_EXHAUSTED": ResourceExhausted,
    "UNIMPLEMENTED": NotImplementedByBroker,
    "UNAVAILABLE": Unavailable,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "INTERNAL": InternalError,
}
"""The exception of each gRPC code; any other code is a plain WaypostError."""
