"""The forwarder over a real store: upstreams that keep opt-ins are told, again and again, until they answer."""

from collections.abc import Sequence
from typing import Any

import pytest

from broker.delivery.consents import Consents
from broker.delivery.opt_in_forwarder import OptInForwarder
from broker.domain.consent import Consent
from broker.domain.vocabulary import EventKind
from broker.spi import (
    Capabilities,
    Channel,
    NotAccepted,
    OptInAnswer,
    OptInFound,
    OptInQuery,
    Provider,
    ReceiptMode,
    Unknown,
)
from broker.storage.forwarding import read_upstream_standings
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite.consenting import PHONE, said


class Keeper(ScriptedProvider):
    """Keeps opt-ins; plays `answers` call by call, then takes everything, and knows what `kept` says."""

    def __init__(self, *answers: Any, kept: OptInFound | Exception | None = None) -> None:
        super().__init__()
        self._able = Capabilities(frozenset({Channel.SMS}), ReceiptMode.PUSH, opt_in=True)
        self.answers = list(answers)
        self.kept = kept or OptInFound(None)
        self.told: list[list[tuple[str, bool]]] = []

    @property
    def capabilities(self) -> Capabilities:
        """It keeps opt-ins."""
        return self._able

    async def set_opt_in(self, changes: Sequence[Any]) -> Any:
        """The next answer."""
        self.told.append([(each.recipient, each.opted_in) for each in changes])
        answer = self.answers.pop(0) if self.answers else OptInAnswer(accepted=True)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, list) else [answer] * len(changes)

    async def get_opt_in(self, queries: Sequence[OptInQuery]) -> Any:
        """What it keeps of everybody."""
        if isinstance(self.kept, Exception):
            raise self.kept
        return [self.kept] * len(queries)


@pytest.fixture
def build(store: Any, clock: Any) -> Any:
    """A forwarder for instances by name, and what callers see."""

    def forwarder(**providers: Provider) -> tuple[OptInForwarder, Consents]:
        registry = scripted_registry(**providers)
        made = OptInForwarder(store, registry, clock, timeout_s=5.0, lease_s=90.0)
        store.on_commit(lambda commit: made.hint() if commit.facts.get(EventKind.OPT_IN.name) else None)
        return made, Consents(store, made, clock)

    return forwarder


async def test_who_keeps_opt_ins_is_told_of_a_change(build: Any, running: Any, until: Any) -> None:
    """At once, and nobody else is."""
    keeper, plain = Keeper(), ScriptedProvider()
    forwarder, consents = build(acme=keeper, plain=plain)
    async with running(forwarder.run()):
        await consents.record([said()])
        await until(lambda: keeper.told)
        assert [[(PHONE, False)]] == keeper.told

        async def answered() -> bool:
            found = await consents.find(1, "Shop", PHONE, ask=False)
            return [("acme", True)] == [(each.provider, each.accepted) for each in found.upstream]

        await until(answered)
    assert [("acme", True)] == [(each.provider, each.pending) for each in consents.to_tell()]


@pytest.mark.parametrize(
    "silence",
    [NotAccepted(), Unknown(), RuntimeError("no"), [], ["nonsense"], [OptInAnswer(accepted=None)]],  # type: ignore[arg-type]
    ids=["not accepted", "unknown", "raise", "too few", "nonsense", "half an answer"],
)
async def test_it_is_told_again_until_it_answers(
    build: Any, running: Any, until: Any, clock: Any, store: Any, silence: Any
) -> None:
    """Whatever else it does."""
    keeper = Keeper(silence, silence)
    forwarder, consents = build(acme=keeper)
    async with running(forwarder.run()):
        await consents.record([said()])

        def told_again() -> bool:
            clock.advance(0.5)
            return len(keeper.told) >= 3

        await until(told_again)

        async def answered() -> bool:
            (found,) = await store.read(read_upstream_standings, 1, [PHONE], ["acme"])
            return bool(found.accepted) and not found.pending

        await until(answered)


async def test_one_that_is_down_holds_up_no_other(build: Any, running: Any, until: Any) -> None:
    """Each instance has a queue of its own."""
    down, up = Keeper(*[NotAccepted()] * 100), Keeper()
    forwarder, consents = build(down=down, up=up)
    async with running(forwarder.run()):
        await consents.record([said()])
        await until(lambda: down.told and up.told)


@pytest.mark.parametrize(
    ("kept", "keeps", "state"),
    [
        (OptInFound(opted_in=False, code="21"), Consent.OPTED_OUT, Consent.OPTED_OUT),
        (OptInFound(opted_in=True), Consent.OPTED_IN, Consent.UNSET),
        (OptInFound(None), Consent.UNSET, Consent.UNSET),
        (RuntimeError("no"), None, Consent.UNSET),
        (OptInFound(opted_in="yes"), None, Consent.UNSET),  # type: ignore[arg-type]
    ],
    ids=["out", "in", "nothing", "raise", "nonsense"],
)
async def test_what_an_upstream_keeps_can_be_asked(
    build: Any, kept: Any, keeps: Consent | None, state: Consent
) -> None:
    """An opt-out that we did not know is put on record, with the instance as its witness."""
    _, consents = build(acme=Keeper(kept=kept))
    found = await consents.find(1, "Shop", PHONE, ask=True)
    assert (state, [keeps]) == (found.standing.wish.state, [each.keeps for each in found.upstream])
    expected = [("acme", "21")] if state is Consent.OPTED_OUT else []
    assert expected == [(each.told_by, each.provider_code) for each in found.testimony]
    again = await consents.find(1, "Shop", PHONE, ask=True)
    assert len(expected) == len(again.testimony)
