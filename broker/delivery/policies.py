"""The accounts' policies, as decisions need them: read from the store, and believed for a second."""

from collections.abc import Collection, Mapping

from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.spi import Clock
from broker.storage.policies import read_policies
from broker.storage.store import Store

FRESH_US = 1_000_000
"""How long a policy is believed, and so how long an old one may still decide."""

KEPT_ACCOUNTS_MAX = 100_000


class Policies:
    """Answers by account, and remembers what it read."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[int, tuple[int, AccountPolicy]] = {}

    async def of(self, account_ids: Collection[int]) -> Mapping[int, AccountPolicy]:
        """The policy of each account; that of an account that is not there changes nothing."""
        now_us = self._clock.now_us()
        found, unknown = {}, []
        for account_id in account_ids:
            known = self._known.get(account_id)
            if known is not None and 0 <= now_us - known[0] < FRESH_US:  # not also while a clock catches up
                found[account_id] = known[1]
            else:
                unknown.append(account_id)
        if unknown:
            read = await self._store.read(read_policies, unknown)
            if len(self._known) + len(unknown) > KEPT_ACCOUNTS_MAX:
                self._known.clear()
            for account_id in unknown:
                found[account_id] = read.get(account_id, NO_POLICY)
                self._known[account_id] = (now_us, found[account_id])
        return found

    async def region_of(self, account_id: int) -> str:
        """Whose national numbers an account takes: an ISO 3166 alpha-2 code, or ""."""
        return (await self.of((account_id,)))[account_id].default_region
