"""In which words the broker answers, by what carries the answer."""

from collections.abc import Sequence
from typing import Any

import pytest

from broker.delivery.answering import Answering
from broker.domain.errand import AutoReply
from broker.domain.submission import Submission
from broker.domain.vocabulary import Channel
from broker.metrics import Metrics
from broker.spi import TextProfile
from broker.storage.store import Store
from broker.testing.builders import ManualClock
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite import Bench
from broker.testing.store_suite.inbound_bench import Phone

SPANISH = "Responda STOP para no recibir mensajes, START para recibirlos otra vez."
ENGLISH = "Reply STOP to get no more messages, START to get them again."


class Taking:
    """An intake that keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[Submission] = []

    async def accept(self, submissions: Sequence[Submission]) -> list[Any]:
        """Every one, for nobody."""
        self.taken += submissions
        return [[type("Result", (), {"reason": None})()] for _ in submissions]


@pytest.mark.parametrize(
    ("profile", "text", "said"),
    [
        (TextProfile.ANY, None, SPANISH),
        (TextProfile.RESTRICTED, None, ENGLISH),
        (TextProfile.RESTRICTED, "Call 123.", "Call 123."),
    ],
)
async def test_a_provider_with_few_letters_says_it_in_english(
    store: Store, bench: Bench, clock: ManualClock, profile: TextProfile, text: str | None, said: str
) -> None:
    """Rather than nothing at all. What the account says itself stays as it is."""
    registry = scripted_registry(acme=ScriptedProvider(text_profile=profile))
    intake: Any = Taking()
    answering = Answering(
        store,
        intake,
        clock,
        Metrics(),
        route=registry.route,
        restricted=registry.restricted,
        replies_per_hour_max=2,
    )
    phone = Phone(bench)
    await phone.say("AYUDA")
    (due,) = await phone.due()
    await answering.send([AutoReply(due.errand, text or due.errand.standing, "consent")])
    (answer,) = intake.taken
    assert said == answer.content.documents[Channel.SMS]["text"]
