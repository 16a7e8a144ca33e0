"""Keywords as callers work with them: checked, rented, set up, listed and released."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from broker.domain.keyword import KEYWORDS_OF_ACCOUNT_MAX, Keyword
from broker.domain.network import AddressPolicy
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Clock
from broker.storage.keywords import (
    KeywordChange,
    KeywordName,
    KeywordsFull,
    KeywordTaken,
    NewKeyword,
    NoSuchKeyword,
    NoSuchKeywordGroup,
    change_keywords,
    read_available,
    read_keyword,
    read_keywords,
    release_keywords,
    rent_keywords,
)
from broker.storage.store import Store

__all__ = ["KeywordName", "Keywords"]

ChargeRent = Callable[[Keyword], Awaitable[None]]
"""Has the account pay for a keyword that it has just rented. Raises BrokerError when it does not: it is released."""


async def free_of_charge(_keyword: Keyword) -> None:
    """Renting has no price."""


class Keywords:
    """Works on the store. `network` says where callbacks may lead, `charge` has the rent paid."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        network: AddressPolicy,
        charge: ChargeRent = free_of_charge,
        keywords_max: int = KEYWORDS_OF_ACCOUNT_MAX,
    ) -> None:
        self._store = store
        self._clock = clock
        self.network = network
        self._charge = charge
        self._keywords_max = keywords_max

    async def available(self, name: KeywordName) -> bool:
        """Whether an account could rent it now."""
        return await self._store.read(read_available, name)

    async def rent(self, name: KeywordName) -> Keyword:
        """Rent it. Raises BrokerError KEYWORD_TAKEN, KEYWORDS_FULL, and what stops the payment."""
        wish = Keyword(name.account_id, name.sender, name.word, self._clock.now_us())
        item = NewKeyword(wish, self._keywords_max)
        (answer,) = await self._store.write(rent_keywords, [item], [name.account_id])
        match answer:
            case KeywordTaken():
                raise BrokerError(ErrorReason.KEYWORD_TAKEN)
            case KeywordsFull(allowed):
                raise BrokerError(ErrorReason.KEYWORDS_FULL, metadata={"allowed": str(allowed)})
        try:
            await self._charge(answer)
        except BaseException:
            await self._store.write(release_keywords, [name], [name.account_id])
            raise
        return answer

    async def configure(self, name: KeywordName, fields: Mapping[str, object]) -> Keyword:
        """Set it up. Raises BrokerError KEYWORD_NOT_FOUND, KEYWORD_GROUP_INVALID."""
        (answer,) = await self._store.write(change_keywords, [KeywordChange(name, fields)], [name.account_id])
        match answer:
            case NoSuchKeyword():
                raise BrokerError(ErrorReason.KEYWORD_NOT_FOUND)
            case NoSuchKeywordGroup():
                violation = Violation("group_id", "names no group of the account")
                raise BrokerError(ErrorReason.KEYWORD_GROUP_INVALID, violations=[violation])
        return answer

    async def find(self, name: KeywordName) -> Keyword:
        """A keyword that the account has. Raises BrokerError KEYWORD_NOT_FOUND."""
        found = await self._store.read(read_keyword, name)
        if found is None:
            raise BrokerError(ErrorReason.KEYWORD_NOT_FOUND)
        return found

    async def page(
        self, account_id: int, after: tuple[str, str], rows_max: int, sender: str
    ) -> Sequence[Keyword]:
        """An account's keywords by address and word, after a place."""
        return await self._store.read(read_keywords, account_id, after, rows_max, sender)

    async def release(self, name: KeywordName) -> None:
        """Give it back. Raises BrokerError KEYWORD_NOT_FOUND."""
        (mine,) = await self._store.write(release_keywords, [name], [name.account_id])
        if not mine:
            raise BrokerError(ErrorReason.KEYWORD_NOT_FOUND)
