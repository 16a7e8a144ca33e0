"""A provider that says what a test wants, and the registry that the broker finds it in."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from broker.delivery.registry import Registry
from broker.plugins import LoadedType, Plugins
from broker.settings import OWN_TABLE
from broker.spi import (
    Accepted,
    CallbackAnswer,
    CallbackRequest,
    Capabilities,
    Channel,
    Context,
    OutboundMessage,
    Outcome,
    Provider,
    ProviderType,
    Receipt,
    ReceiptMode,
    TextProfile,
    Unknown,
)

Answers = Outcome | Receipt | Exception | Callable[[Sequence[OutboundMessage]], Any]
"""What a call gives: an answer to each of its messages, a raise, or whatever a function makes of them."""


class ScriptedProvider(Provider):
    """Plays `submits`, `queries` and `callbacks` call by call, and keeps what it was given.

    When a script is over it accepts every message, under the id `<message_id>/<attempt>`, and knows
    nothing when it is asked. While `gate` is set, calls wait for it.
    """

    def __init__(
        self,
        *,
        batch_max: int = 100,
        receipts: ReceiptMode = ReceiptMode.PUSH,
        query: bool = False,
        callback: bool = False,
        channels: frozenset[Channel] = frozenset({Channel.SMS}),
        content: frozenset[str] | None = None,
        text_profile: TextProfile = TextProfile.ANY,
        sandbox: bool = False,
    ) -> None:
        self._capabilities = Capabilities(
            channels,
            receipts,
            batch_max,
            query=query,
            callback=callback,
            content=content,
            text_profile=text_profile,
            sandbox=sandbox,
        )
        self.submits: deque[Answers] = deque()
        self.queries: deque[Answers] = deque()
        self.callbacks: deque[Callable[[CallbackRequest], Any]] = deque()
        self.submitted: list[Sequence[OutboundMessage]] = []
        self.queried: list[Sequence[OutboundMessage]] = []
        self.called_back: list[CallbackRequest] = []
        self.gate: asyncio.Event | None = None
        self.context: Context | None = None

    @property
    def capabilities(self) -> Capabilities:
        """As constructed."""
        return self._capabilities

    async def start(self, context: Context) -> None:
        """Keep the context, so that a test can report through it."""
        self.context = context

    async def submit(self, messages: Sequence[OutboundMessage]) -> Any:
        """The next of `submits`."""
        self.submitted.append(messages)
        if self.gate is not None:
            await self.gate.wait()
        if not self.submits:
            return [Accepted((f"{each.message_id}/{each.attempt}",)) for each in messages]
        return _given(self.submits.popleft(), messages)

    async def query(self, messages: Sequence[OutboundMessage]) -> Any:
        """The next of `queries`."""
        self.queried.append(messages)
        return _given(self.queries.popleft() if self.queries else Unknown(), messages)

    async def callback(self, request: CallbackRequest) -> Any:
        """What the next of `callbacks` makes of it; when they are over, 200 and no facts."""
        self.called_back.append(request)
        if self.gate is not None:
            await self.gate.wait()
        return self.callbacks.popleft()(request) if self.callbacks else CallbackAnswer()


def _given(answers: Answers, messages: Sequence[OutboundMessage]) -> Any:
    if isinstance(answers, Exception):
        raise answers
    return answers(messages) if callable(answers) else [answers] * len(messages)


class NoSettings(BaseModel):
    """The table of a scripted provider holds its type only."""


def scripted_registry(
    own: Mapping[str, Mapping[str, object]] | None = None, /, **providers: Provider
) -> Registry:
    """A registry whose instances are these, by name and in this order of preference.

    `own` are the settings that the broker itself heeds, by instance.
    """
    types = {
        name: LoadedType(_type_of(name, each), f"waypost-{name}", "1") for name, each in providers.items()
    }
    tables = {name: {"type": name, OWN_TABLE: (own or {}).get(name, {})} for name in providers}
    return Registry(Plugins(types, ()), tables)


def _type_of(name: str, provider: Provider) -> ProviderType:
    return ProviderType(name, provider.capabilities.channels, NoSettings, lambda _settings: provider)
