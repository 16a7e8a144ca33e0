"""Consent as callers work with it: what recipients want, on record and in force."""

from collections.abc import Sequence

from broker.domain.consent import ConsentChange
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
from broker.storage.store import Store

__all__ = ["ConsentPage", "ConsentQuery", "Consents", "Standing"]

TESTIMONY_MAX = 100


class Consents:
    """Records and reads wishes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def record(self, changes: Sequence[ConsentChange]) -> list[Standing]:
        """Put changes of one account on record; what is in force for each. All of them, or none."""
        return await self._store.write(record_consent, changes, {each.account_id for each in changes})

    async def find(
        self, account_id: int, sender: str, recipient: str
    ) -> tuple[Standing, Sequence[ConsentChange]]:
        """What is in force between a sender and a recipient, and the newest TESTIMONY_MAX things that were said."""
        (wish,) = await self._store.read(read_standings, [Asked(account_id, sender, recipient)])
        testimony = await self._store.read(read_testimony, account_id, recipient, TESTIMONY_MAX)
        return Standing(sender, recipient, wish, wish.state), testimony

    async def page(self, query: ConsentQuery) -> ConsentPage:
        """Wishes in the order of recipient and sender."""
        return await self._store.read(read_consents, query)
