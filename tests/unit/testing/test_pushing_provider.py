"""The suite on a provider without HTTP, which reports by itself, and on one that hands on what people write."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from broker import spi
from broker.testing.provider_suite import ProviderSuite

LOOK_EVERY_S = 0.5
ENDED: dict[str, str] = {}
"""The spool's ends by recipient: what `deliver` says, until the provider has reported it."""


class NoSettings(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(extra="forbid")


class Spool(spi.Provider):
    """Leaves messages nowhere, and looks for their ends now and then."""

    capabilities = spi.Capabilities(frozenset({spi.Channel.SMS}), spi.ReceiptMode.PUSH)
    forgetful = False
    spelling = "spool-{}"

    def __init__(self, _settings: NoSettings) -> None:
        self._looking: asyncio.Task[None] | None = None

    async def start(self, context: spi.Context) -> None:
        """Begin to look."""
        await self.stop()
        self._looking = asyncio.create_task(self._look(context))

    async def stop(self) -> None:
        """Stop looking."""
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """Take them all."""
        return [spi.Accepted((f"spool-{each.recipient}",)) for each in messages]

    async def _look(self, context: spi.Context) -> None:
        while True:
            await context.clock.sleep(LOOK_EVERY_S)
            found = dict(ENDED)
            if self.forgetful:
                ENDED.clear()
            try:
                receipts = [
                    spi.Receipt(self.spelling.format(each), spi.ReceiptStatus.DELIVERED) for each in found
                ]
                await context.report(receipts) if receipts else None
            except OSError as error:
                context.log.warning("spool.report_failed", error=type(error).__name__)
            else:
                for each in found:
                    ENDED.pop(each, None)


class SpoolSuite(ProviderSuite):
    """What the spool says of itself."""

    provider_type = spi.ProviderType("spool", frozenset({spi.Channel.SMS}), NoSettings, Spool)

    def settings(self, base_url: str) -> dict[str, Any]:
        """None."""
        return {}

    def provider_message_ids(self, message: spi.OutboundMessage) -> tuple[str, ...]:
        """Made of the recipient."""
        return (f"spool-{message.recipient}",)

    async def deliver(self, running: Any, message: spi.OutboundMessage) -> None:
        """The end lies there until it was reported."""
        ENDED[message.recipient] = "delivered"


class TestSpool(SpoolSuite):
    """It passes, and what needs an HTTP upstream is skipped."""


class TwoWay(Spool):
    """Hands on what people write, as form fields."""

    capabilities = spi.Capabilities(frozenset({spi.Channel.SMS}), spi.ReceiptMode.NONE, callback=True)
    cut = 1_000
    answers = "answers"

    async def callback(self, request: spi.CallbackRequest) -> spi.CallbackAnswer:
        """From, to, text."""
        fields = dict(request.query)
        if not fields.keys() >= {"from", "to", "text"}:
            return spi.CallbackAnswer(status=400)
        told = spi.Inbound(fields["from"], fields["to"], fields["text"][: self.cut])
        return spi.CallbackAnswer([replace(told, answers=fields.get(self.answers, ""))])


class TwoWaySuite(SpoolSuite):
    """What it says of itself."""

    provider_type = spi.ProviderType("two-way", frozenset({spi.Channel.SMS}), NoSettings, TwoWay)

    def inbound_request(self, sender: str, recipient: str, text: str) -> spi.CallbackRequest:
        """A GET."""
        return spi.CallbackRequest("GET", "", (("from", sender), ("to", recipient), ("text", text)), {}, b"")

    def answer_request(
        self, sender: str, recipient: str, text: str, provider_message_id: str
    ) -> spi.CallbackRequest:
        """One field more."""
        plain = self.inbound_request(sender, recipient, text)
        return replace(plain, query=(*plain.query, ("answers", provider_message_id)))


class TestTwoWay(TwoWaySuite):
    """It passes, though it gives no receipts."""


class Waiting(spi.LateAnswer):
    """Answers the callback with what is said to its writer, if that comes."""

    def __init__(self, provider: "Answering") -> None:
        self._provider = provider

    async def answer(self) -> spi.CallbackAnswer:
        """Wait for it."""
        self._provider.waiting = self
        return await asyncio.get_running_loop().create_future()

    def written(self, whole: bool) -> None:
        """Wait no longer."""
        self._provider.waiting = None


class Answering(TwoWay):
    """Its callbacks are answered later; while one waits, nothing else is sent."""

    waiting: Waiting | None = None

    async def callback(self, request: spi.CallbackRequest) -> spi.CallbackAnswer:
        """The answer comes later."""
        told = await super().callback(request)
        return replace(told, later=Waiting(self)) if told.facts else told

    async def submit(self, messages: Sequence[spi.OutboundMessage]) -> Sequence[spi.Outcome]:
        """Take them, but for one that a callback should have taken along."""
        if self.waiting is not None:
            return [spi.Unknown("swallowed")] * len(messages)
        return await super().submit(messages)


class AnsweringSuite(TwoWaySuite):
    """What it says of itself."""

    provider_type = spi.ProviderType("answering", frozenset({spi.Channel.SMS}), NoSettings, Answering)


class TestAnswering(AnsweringSuite):
    """It passes: a callback that was hung up on takes nothing along."""


def failing(suite: type[ProviderSuite], provider: type[spi.Provider], case: str) -> None:
    """Run one case on a provider that is not right; it has to fail."""

    class Broken(suite):  # type: ignore[misc, valid-type]
        provider_type = replace(suite.provider_type, create=provider)

    with pytest.raises(AssertionError):
        getattr(Broken(), case)()
    ENDED.clear()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never comes is not waited for long."""
    monkeypatch.setattr("broker.testing.provider_suite.leftovers.WAIT_S", 0.2)


def test_a_receipt_under_another_id_is_found(impatient: None) -> None:
    """Nobody could match it."""

    class Misspelt(Spool):
        spelling = "SPOOL/{}"

    failing(SpoolSuite, Misspelt, "test_the_end_of_a_message_is_reported")


def test_a_receipt_that_is_lost_with_a_failed_report_is_found(impatient: None) -> None:
    """It was acknowledged too soon."""

    class Forgetful(Spool):
        forgetful = True

    failing(SpoolSuite, Forgetful, "test_a_report_that_was_not_taken_is_repeated")


def test_a_reply_that_is_cut_is_found() -> None:
    """People's words are theirs."""

    class Cutting(TwoWay):
        cut = 5

    failing(TwoWaySuite, Cutting, "test_a_message_that_somebody_wrote_is_told")


def test_an_answer_without_its_message_is_found() -> None:
    """The upstream knows which one it answers."""

    class Silent(TwoWay):
        answers = "nothing"

    failing(TwoWaySuite, Silent, "test_an_answer_names_the_message_that_it_answers")


def test_an_answer_that_is_lost_with_its_callback_is_found() -> None:
    """Nobody waits for it any more, and it was not sent."""

    class Swallowing(Answering):
        async def callback(self, request: spi.CallbackRequest) -> spi.CallbackAnswer:
            told = await super().callback(request)
            if told.later is not None:
                told.later.written = lambda _whole: None  # type: ignore[method-assign]
            return told

    failing(AnsweringSuite, Swallowing, "test_an_answer_outlives_the_callback_that_waited_for_it")
