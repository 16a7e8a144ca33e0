"""Who is let in: limits on calls under way, draining, keys and roles."""

from collections.abc import Callable
from enum import Enum
from types import TracebackType
from typing import Any

from broker.api.auth import bearer_secret
from broker.delivery.key_rates import KeyRates
from broker.delivery.keys import Keys
from broker.domain.access import Principal, Role
from broker.errors import BrokerError, ErrorReason
from broker.metrics import Metrics


class Access(Enum):
    """What a method asks of its caller."""

    OPEN = "no key: health and reflection, also while draining"
    READ = "any key"
    SEND = "a key that may create or change messages"
    MANAGE = "an admin or partner key: it may change accounts, each those that it may act for"
    ADMIN = "an admin key: it may change the broker itself"


NOBODY = Principal(key_id=0, account_id=0, role=Role.READ)
"""The caller of an OPEN method, which never looks at it."""


class Lane:
    """Counts calls of one sort; a context manager for each that is under way.

    Past about 1,000 waiting calls grpcio answers CANCELLED of its own; `count_max` refuses earlier and
    says when to come back.
    """

    __slots__ = ("count", "count_max")

    def __init__(self, count_max: int) -> None:
        self.count = 0
        self.count_max = count_max

    def __enter__(self) -> None:
        if self.count >= self.count_max:
            raise BrokerError(ErrorReason.QUEUE_FULL, metadata={"limit": str(self.count_max)})
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.count -= 1


class Gate:
    """Stands before every method of every service.

    `calls_max` bounds unary calls under way, `streams_max` open streams of any sort; `metrics` counts
    how each call ended.
    """

    def __init__(
        self, *, keys: Keys, rates: KeyRates, calls_max: int, streams_max: int, metrics: Metrics
    ) -> None:
        self.keys = keys
        self.rates = rates
        self.metrics = metrics
        self.calls = Lane(calls_max)
        self.streams = Lane(streams_max)
        self.draining = False
        self._on_drain: set[Callable[[], None]] = set()

    async def admit(self, context: Any, access: Access) -> Principal:
        """The caller, when it may come in. Raises BrokerError when not."""
        if access is Access.OPEN:
            return NOBODY
        if self.draining:
            raise BrokerError(ErrorReason.DRAINING)
        caller = await self.keys.authenticate(bearer_secret(context.invocation_metadata()))
        if caller is None or caller.role is Role.URL_SENDING:  # that token opens no other door
            raise BrokerError(ErrorReason.KEY_INVALID)
        if not caller.api_access:
            raise BrokerError(ErrorReason.API_ACCESS_DISABLED)
        if not _may(caller, access):
            raise BrokerError(ErrorReason.ROLE_INSUFFICIENT, metadata={"role": caller.role.name})
        self.rates.spend(caller)
        return caller

    def drain(self) -> None:
        """Let nobody in from now on, and ask the streams that are open to end. Cannot be undone."""
        self.draining = True
        for ask in tuple(self._on_drain):
            ask()

    def ask_on_drain(self, ask: Callable[[], None]) -> None:
        """Have `ask` called, from the event loop, when the broker starts to drain."""
        self._on_drain.add(ask)

    def forget(self, ask: Callable[[], None]) -> None:
        """Have `ask` no longer called."""
        self._on_drain.discard(ask)


def _may(caller: Principal, access: Access) -> bool:
    """Whether a key's role is enough for a method."""
    if access is Access.SEND:
        return caller.may_send
    if access is Access.MANAGE:
        return caller.may_manage
    return access is not Access.ADMIN or caller.may_administer
