# ruff: noqa: ARG002 - what an author may override gets more than its default looks at
"""What the suite asks of an author: four things, and more where the provider does more."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from broker.spi import (
    Accepted,
    CallbackRequest,
    Channel,
    OutboundMessage,
    Provider,
    ProviderType,
    ReceiptMode,
    ReceiptStatus,
    TextProfile,
    Traffic,
)
from broker.testing.clock import NOW_US, SECOND_US
from broker.testing.lending import Lent
from broker.testing.running import RunningProvider, running_provider
from broker.testing.upstream import Fault, Handler, Request, Upstream

RECIPIENTS = {
    Channel.SMS: "+447700900{:03d}",
    Channel.MMS: "+447700900{:03d}",
    Channel.EMAIL: "recipient{:03d}@example.org",
    Channel.PUSH: "device-token-{:03d}",
    Channel.IN_APP: "person-{:03d}",
}
SENDERS = {Channel.EMAIL: "sender@example.org"}
CARRIED_CHARACTERS = 8
VALID_FOR_S = 3_600


class Asked:
    """What an author says about the provider under test.

    `provider_type`, `settings` and `provider_message_ids` are always needed, and `upstream` for a provider
    that speaks HTTP. The rest has defaults that fit most, or belongs to what the provider declares: a case
    that lacks what it needs is skipped and says so, unless the provider's own capabilities promise it.
    """

    provider_type: ProviderType
    """The type under test, as `waypost_providers` offers it."""

    time_limit_s: float = 5.0
    """How long any call may take; in the cases that wait, with `impatience`."""

    not_processed: frozenset[int] = frozenset({429})
    """Statuses that the upstream documents to mean "your request was not processed": NotAccepted. Add 503 only
    if it says so; else a 503 may come from a proxy that has passed the request on, and is Unknown."""

    receipt_statuses: frozenset[ReceiptStatus] = frozenset({
        ReceiptStatus.DELIVERED,
        ReceiptStatus.DELIVERY_FAILED,
    })
    """What the upstream can report."""

    # Always needed.

    def settings(self, base_url: str) -> dict[str, Any]:
        """The provider's table, without its `type`, for an upstream at `base_url` ("" where there is none).

        Give each secret a value of its own: the suite looks for it where it must not be.
        """
        raise NotImplementedError("settings(base_url) answers the provider's table")

    def impatience(self) -> Mapping[str, Any]:
        """Settings that make the provider's own time limit short, as {"timeout_s": 0.3}.

        For the cases that wait until it has passed.
        """
        return {}

    def upstream(self) -> Handler | None:
        """The upstream's right answers, as its documents tell them: a new function or object each time.

        It should refuse what the real one would refuse. None: the provider does not speak HTTP, and the
        cases that break its upstream are skipped.
        """
        return None

    def provider_message_ids(self, message: OutboundMessage) -> tuple[str, ...]:
        """The ids that `Accepted` must hold for a message: derive them from it in `upstream` too."""
        raise NotImplementedError("provider_message_ids(message) answers the ids that the upstream gives it")

    # Messages. The defaults are right for most upstreams.

    def recipient(self, number: int, channel: Channel) -> str:
        """The valid address with a number from 0 to 899; they all differ in their last 8 characters."""
        return RECIPIENTS[channel].format(100 + number)

    def sender(self, channel: Channel) -> str:
        """A sender that the upstream takes."""
        return SENDERS.get(channel, "Acme")

    def content(self, text: str, channel: Channel) -> dict[str, Any]:
        """The least content that the channel takes, with this text."""
        if channel is Channel.EMAIL:
            return {"subject": "A subject", "text": text}
        return {"body" if channel in {Channel.PUSH, Channel.IN_APP} else "text": text}

    def refused_message(self) -> OutboundMessage | None:
        """A message that `upstream` refuses for good, as an address that does not exist. None: skip."""
        return None

    def unsent_message(self) -> OutboundMessage:
        """A message that nobody sends: `query` must not know it."""
        return self.message(899)

    def message(self, number: int = 0, *, channel: Channel | None = None, **changes: Any) -> OutboundMessage:
        """A message to recipient `number`, with the named fields changed; `text` stands for its content."""
        on = channel or self.channel
        text = changes.pop("text", f"Message {number}")
        message_id = f"01KAB3XQ{number:05d}"
        plain = OutboundMessage(
            message_id=message_id,
            idempotency_key=f"key{message_id}",
            channel=on,
            recipient=self.recipient(number, on),
            sender=self.sender(on),
            content=self.content(text, on),
            traffic=Traffic.TRANSACTIONAL,
            attempt=1,
            submitted_at_us=NOW_US,
            expire_at_us=NOW_US + VALID_FOR_S * SECOND_US,
            units=1,
        )
        return replace(plain, **changes)

    # Reading what the upstream saw.

    def carries(self, request: Request, message: OutboundMessage) -> bool:
        """Whether a request holds the message: the end of its recipient is somewhere in it."""
        tail = re.sub(r"[^0-9A-Za-z]", "", message.recipient.partition("@")[0])[-CARRIED_CHARACTERS:]
        return tail in request.everything

    def text_in(self, request: Request) -> str | None:
        """The text of the one message in a request, decoded as the upstream would. None: not looked at."""
        return None

    def key_in(self, request: Request) -> str | None:
        """What the upstream tells a repeated message by. None: `idempotency_key` itself is looked for."""
        return None

    def is_send(self, request: Request, sends: list[Request]) -> bool:
        """Whether a request hands messages over: it goes where an earlier hand-over of the case went."""
        return (request.method, request.path) in {(each.method, each.path) for each in sends}

    # What upstreams tell by themselves.

    def receipt_request(
        self, provider_message_id: str, status: ReceiptStatus | None, message: OutboundMessage
    ) -> CallbackRequest:
        """The upstream's report on one of the ids of `message`; with None, a status that nobody documented."""
        raise NotImplementedError("the provider declares callback: receipt_request builds one")

    def inbound_request(self, sender: str, recipient: str, text: str) -> CallbackRequest | None:
        """The upstream's request about a message that somebody wrote. None: skip."""
        return None

    def answer_request(
        self, sender: str, recipient: str, text: str, provider_message_id: str
    ) -> CallbackRequest | None:
        """The same about an answer to our message with this id. None: the upstream does not tell which one is answered."""
        return None

    def forged_request(self, request: CallbackRequest) -> CallbackRequest | None:
        """The request as somebody would send it who lacks the upstream's secret. None: it signs nothing."""
        return None

    def signed(self, request: CallbackRequest) -> CallbackRequest:
        """A request of ours, signed as the upstream signs, where it does."""
        return request

    async def deliver(self, running: RunningProvider, message: OutboundMessage) -> None:
        """Make the upstream end an accepted message, so that the provider reports it by itself, without a callback."""
        pytest.skip("deliver() does not tell how receipts come about")

    # What follows from the above; cases use it.

    @property
    def channel(self) -> Channel:
        """The channel of most cases."""
        return min(self.built().capabilities.channels)

    @property
    def restricted(self) -> bool:
        """Whether the provider takes few characters only."""
        return self.built().capabilities.text_profile is TextProfile.RESTRICTED

    def built(self, base_url: str = "http://127.0.0.1:9") -> Provider:
        """A provider that was not started."""
        kind = self.provider_type
        return kind.create(kind.settings.model_validate(self.settings(base_url)))

    @asynccontextmanager
    async def running(
        self,
        upstream: Upstream | None = None,
        *,
        base_url: str | None = None,
        settings: Mapping[str, Any] | None = None,
        lent: Lent | None = None,
    ) -> AsyncIterator[RunningProvider]:
        """A started provider, pointed at the upstream."""
        url = base_url if base_url is not None else (upstream.url if upstream else "")
        table = {**self.settings(url), **(settings or {})}
        async with running_provider(
            self.provider_type, table, lent=lent, time_limit_s=self.time_limit_s
        ) as running:
            yield running

    @asynccontextmanager
    async def broken_upstream(
        self, *faults: Fault, when: Callable[[Request], bool] | None = None, impatient: bool = False
    ) -> AsyncIterator[tuple[RunningProvider, Upstream]]:
        """A started provider and its upstream, where these faults strike every request; skips without HTTP.

        An `impatient` provider soon gives up waiting.
        """
        handler = self.upstream()
        if handler is None:
            pytest.skip("needs an HTTP upstream, and upstream() answers None")
        with CheckedUpstream(handler) as upstream:
            for fault in faults:
                upstream.fail(fault, times=None, when=when)
            async with self.running(upstream, settings=self.impatience() if impatient else None) as running:
                yield running, upstream

    @asynccontextmanager
    async def whole_upstream(
        self, *, lent: Lent | None = None
    ) -> AsyncIterator[tuple[RunningProvider, Upstream]]:
        """The same without a fault, also for a provider that does not speak HTTP: then nobody asks it."""
        with CheckedUpstream(self.upstream() or _never_asked) as upstream:
            async with self.running(upstream, lent=lent) as running:
                yield running, upstream

    def some_callback(self) -> CallbackRequest:
        """A right callback."""
        message = self.message()
        if self.built().capabilities.receipts is ReceiptMode.PUSH:
            first = self.provider_message_ids(message)[0]
            return self.receipt_request(first, ReceiptStatus.DELIVERED, message)
        request = self.inbound_request("+447700900001", "+447700900002", "Yes")
        assert request is not None, "the provider declares callback: inbound_request builds one"
        return request

    async def accepted(self, running: RunningProvider, *messages: OutboundMessage) -> list[tuple[str, ...]]:
        """The ids of messages that the provider accepts, all of them."""
        outcomes = await running.submit(*messages)
        return [expected(outcome, Accepted).provider_message_ids for outcome in outcomes]


Kind = TypeVar("Kind")


def expected(outcome: object, *kinds: type[Kind], why: str = "") -> Kind:
    """The outcome, which has to be of one of these kinds."""
    names = " or ".join(kind.__name__ for kind in kinds)
    assert type(outcome) in kinds, f"{outcome!r} should be {names}" + (f": {why}" if why else "")
    return outcome  # type: ignore[return-value]


class CheckedUpstream(Upstream):
    """An upstream whose own mistakes fail the case, with their traceback."""

    def close(self) -> None:
        """Stop, and raise what the handler raised."""
        super().close()
        if self.defects:
            raise AssertionError("the answers of upstream() raised") from self.defects[0]


def _never_asked(_request: Request) -> Any:
    raise AssertionError("upstream() answers None, and yet there was a request")
