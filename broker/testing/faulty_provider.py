"""A provider in front of an upstream that fails as upstreams do, for as long as a test says so."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import Any

from broker.spi import (
    Accepted,
    Capabilities,
    Channel,
    Idempotency,
    NotAccepted,
    OutboundMessage,
    Provider,
    ReceiptMode,
    Unknown,
)


class Fault(Enum):
    """What goes wrong, and whether the upstream takes the message all the same."""

    REFUSED = "the connection is refused: nothing is taken"
    RESET = "the connection breaks within the body: every second message is taken, and nobody can tell which"
    HANG = "every message is taken, and no answer comes"
    THROTTLED = "429 with Retry-After: nothing is taken"
    GARBAGE = "every message is taken, and the answer makes no sense"
    RAISE = "the plugin has a defect: nothing is taken"


class FaultyProvider(Provider):
    """Takes messages, and counts how often it took each by `message_id` in `taken`, and first when in `taken_at`.

    While `fault` is set every call fails in that way. `calls` counts the calls, and `attempts` the messages in them. A call takes `latency_s`.
    """

    def __init__(
        self,
        *,
        batch_max: int = 20,
        latency_s: float = 0.0,
        receipts: ReceiptMode = ReceiptMode.NONE,
        idempotency: Idempotency = Idempotency.NONE,
        retry_after_s: float = 0.2,
    ) -> None:
        self._capabilities = Capabilities(
            frozenset({Channel.SMS}), receipts, batch_max, idempotency=idempotency
        )
        self._latency_s = latency_s
        self._retry_after_s = retry_after_s
        self.fault: Fault | None = None
        self.taken: Counter[str] = Counter()
        self.taken_at: dict[str, float] = {}
        self.calls = 0
        self.attempts = 0
        self.refused = 0

    @property
    def capabilities(self) -> Capabilities:
        """As constructed."""
        return self._capabilities

    async def submit(self, messages: Sequence[OutboundMessage]) -> Any:
        """Take them, or fail as `fault` says."""
        self.calls += 1
        self.attempts += len(messages)
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        fault = self.fault
        if fault is not None:
            self.refused += len(messages)
            self._take_despite(fault, messages)
            return await _answer(fault, messages, self._retry_after_s)
        self._take(messages)
        return [Accepted((f"{each.message_id}/{each.attempt}",)) for each in messages]

    def _take_despite(self, fault: Fault, messages: Sequence[OutboundMessage]) -> None:
        if fault in {Fault.HANG, Fault.GARBAGE}:
            self._take(messages)
        elif fault is Fault.RESET:
            self._take(messages[::2])

    def _take(self, messages: Sequence[OutboundMessage]) -> None:
        self.taken.update(each.message_id for each in messages)
        now = time.monotonic()
        for each in messages:
            self.taken_at.setdefault(each.message_id, now)


async def _answer(fault: Fault, messages: Sequence[OutboundMessage], retry_after_s: float) -> Any:
    if fault is Fault.REFUSED:
        return [NotAccepted(code="connection_refused")] * len(messages)
    if fault is Fault.THROTTLED:
        return [NotAccepted(retry_after_s, "429")] * len(messages)
    if fault is Fault.RESET:
        return [Unknown("reset")] * len(messages)
    if fault is Fault.GARBAGE:
        return ["<html>502</html>"]
    if fault is Fault.RAISE:
        raise KeyError("result")
    return await asyncio.Event().wait()
