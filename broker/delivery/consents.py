"""Consent as callers work with it: what recipients want, on record and in force, here and upstream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broker.delivery.opt_in_forwarder import OptInForwarder
from broker.domain.consent import (
    Act,
    Consent,
    ConsentChange,
    ConsentSource,
    sender_key,
)
from broker.domain.forwarding import OptInFound, OptInQuery
from broker.domain.outcome import Unknown
from broker.spi import Clock
from broker.storage.consenting import (
    Asked,
    ConsentPage,
    ConsentQuery,
    Standing,
    read_consents,
    read_standings,
    read_testimony,
    record_consent,
)
from broker.storage.forwarding import read_upstream_standings
from broker.storage.store import Store

__all__ = ["ConsentPage", "ConsentQuery", "Consents", "Found", "Standing", "UpstreamView"]

TESTIMONY_MAX = 100


@dataclass(frozen=True, slots=True)
class UpstreamView:
    """What an instance with an opt-in interface answered to the last change, and what it `keeps` where it was asked."""

    provider: str
    pending: bool = False
    accepted: bool = False
    code: str = ""
    text: str = ""
    answered_at_us: int | None = None
    keeps: Consent | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What is in force between a sender and a recipient, the newest things that were said, and upstreams' answers."""

    standing: Standing
    testimony: Sequence[ConsentChange]
    upstream: Sequence[UpstreamView]


class Consents:
    """Records and reads wishes."""

    def __init__(self, store: Store, forwarder: OptInForwarder, clock: Clock) -> None:
        self._store = store
        self._forwarder = forwarder
        self._clock = clock

    async def record(self, changes: Sequence[ConsentChange]) -> list[Standing]:
        """Put changes of one account on record; what is in force for each. All of them, or none."""
        return await self._store.write(record_consent, changes, {each.account_id for each in changes})

    def to_tell(self) -> list[UpstreamView]:
        """Who is told of a change that was just put on record."""
        return [UpstreamView(provider, pending=True) for provider in self._forwarder.providers]

    async def find(self, account_id: int, sender: str, recipient: str, *, ask: bool) -> Found:
        """What is in force, with at most TESTIMONY_MAX things that were said.

        With `ask`, instances with an opt-in interface are asked what they keep; an opt-out that was not known is put
        on record.
        """
        kept = await self._forwarder.ask(OptInQuery(sender, recipient)) if ask else {}
        told = [
            self._told_upstream(account_id, sender, recipient, provider, answer)
            for provider, answer in kept.items()
            if isinstance(answer, OptInFound) and answer.opted_in is False
        ]
        asked = Asked(account_id, sender, recipient)
        (wish,) = await self._store.read(read_standings, [asked])
        if told and wish.state not in {Consent.OPTED_OUT, Consent.OPTED_OUT_GLOBALLY}:
            await self.record(told[:1])
            (wish,) = await self._store.read(read_standings, [asked])
        testimony = await self._store.read(read_testimony, account_id, recipient, TESTIMONY_MAX)
        upstream = await self._upstream(account_id, sender, recipient, kept)
        return Found(Standing(sender, recipient, wish, wish.state), testimony, upstream)

    async def page(self, query: ConsentQuery) -> ConsentPage:
        """Wishes in the order of recipient and sender."""
        return await self._store.read(read_consents, query)

    async def _upstream(
        self, account_id: int, sender: str, recipient: str, kept: Mapping[str, OptInFound | Unknown]
    ) -> list[UpstreamView]:
        providers = self._forwarder.providers
        if not providers:
            return []
        rows = await self._store.read(read_upstream_standings, account_id, [recipient], providers)
        told = {each.provider: each for each in rows if each.sender_key == sender_key(sender)}
        views = []
        for provider in providers:
            row, found = told.get(provider), kept.get(provider)
            keeps = _kept(found)
            if row is not None:
                views.append(
                    UpstreamView(
                        provider, row.pending, row.accepted, row.code, row.text, row.answered_at_us, keeps
                    )
                )
            elif found is not None:
                views.append(UpstreamView(provider, code=found.code, text=found.text, keeps=keeps))
        return views

    def _told_upstream(
        self, account_id: int, sender: str, recipient: str, provider: str, answer: OptInFound
    ) -> ConsentChange:
        return ConsentChange(
            account_id=account_id,
            sender=sender,
            recipient=recipient,
            act=Act.OPT_OUT,
            source=ConsentSource.PROVIDER_ANSWER,
            at_us=self._clock.now_us(),
            evidence=answer.text,
            told_by=provider,
            provider_code=answer.code,
        )


def _kept(found: OptInFound | Unknown | None) -> Consent | None:
    if not isinstance(found, OptInFound):
        return None
    if found.opted_in is None:
        return Consent.UNSET
    return Consent.OPTED_IN if found.opted_in else Consent.OPTED_OUT
