"""What the broker lends a provider, as far as it is not the business of a library: a clock, a log, keepsakes."""

from typing import Protocol


class Clock(Protocol):
    """The broker's clock; tests set it."""

    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait that long by this clock."""


class Logger(Protocol):
    """A structured logger: dotted event names and key/values, never bodies, addresses or secrets."""

    def info(self, event: str, **values: object) -> None:
        """Something an operator may want to know."""

    def warning(self, event: str, **values: object) -> None:
        """Something an operator should look at."""

    def error(self, event: str, **values: object) -> None:
        """Something is broken."""


class Keepsakes(Protocol):
    """What an instance wants to find again after a restart: a cursor, a token, the id of a webhook.

    A small durable space of its own, which survives as long as the store does and as the instance keeps
    its name. Keys are 1 to 128 characters, values at most 64 KiB, entries at most 1,000. It is no place
    for messages: never keep a body or an address.
    """

    async def get(self, key: str) -> bytes | None:
        """What is kept under `key`, None for nothing."""

    async def put(self, key: str, value: bytes) -> None:
        """Keep `value` in place of what was there; it is on disk when this returns.

        Raises ValueError when key, value or the number of entries is past its limit, and BrokerError when
        the store cannot take it; then nothing has changed.
        """

    async def delete(self, key: str) -> None:
        """Forget what is kept under `key`, if anything is; that is on disk when this returns."""
