"""Keywords as callers work with them: checked, rented, set up, listed and released."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from broker.delivery.credits import not_enough
from broker.delivery.policies import Policies
from broker.delivery.upstream_keywords import UpstreamKeywords
from broker.domain.account_policy import AccountPolicy
from broker.domain.keyword import KEYWORDS_OF_ACCOUNT_MAX, Keyword
from broker.domain.network import AddressPolicy
from broker.domain.price import Price
from broker.domain.prices import NO_PRICES, PriceList, keyword_price
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Clock
from broker.storage.groups import read_group
from broker.storage.keywords import (
    KeywordChange,
    KeywordName,
    KeywordsFull,
    KeywordTaken,
    KeywordUnpaid,
    NewKeyword,
    NoSuchKeyword,
    NoSuchKeywordGroup,
    RentUndone,
    SenderUnregistered,
    change_keywords,
    read_available,
    read_keyword,
    read_keywords,
    release_keywords,
    rent_keywords,
    undo_rents,
)
from broker.storage.store import Store

__all__ = ["KeywordName", "Keywords"]


class Keywords:
    """Works on the store. `network` says where callbacks may lead, `prices_now` what renting costs.

    `upstream` asks whoever keeps the keywords of an address; None: nobody does.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policies: Policies,
        *,
        network: AddressPolicy,
        prices_now: Callable[[], PriceList] = lambda: NO_PRICES,
        upstream: UpstreamKeywords | None = None,
        keywords_max: int = KEYWORDS_OF_ACCOUNT_MAX,
    ) -> None:
        self._store = store
        self._clock = clock
        self._policies = policies
        self.network = network
        self._prices_now = prices_now
        self._upstream = upstream
        self._keywords_max = keywords_max

    async def available(self, name: KeywordName) -> bool:
        """Whether it is free for the account to rent now, here and upstream.

        Raises BrokerError PAYMENT_DECLINED, UPSTREAM_UNAVAILABLE.
        """
        if not await self._store.read(read_available, name):
            return False
        return self._upstream is None or await self._upstream.available(name.sender, name.word)

    async def price(self, name: KeywordName) -> Price | None:
        """What renting it would cost the account now; None: nothing."""
        policy = await self._policy(name.account_id)
        return keyword_price(self._prices_now(), name.sender) if policy.enforce_credit else None

    async def rent(self, name: KeywordName) -> Keyword:
        """Rent it, and have the account pay for it in the same transaction.

        Raises BrokerError KEYWORD_TAKEN, KEYWORDS_FULL, SENDER_NOT_REGISTERED, CREDIT_EXHAUSTED, and what stops it
        upstream.
        """
        policy = await self._policy(name.account_id)
        wish = Keyword(
            name.account_id, name.sender, name.word, self._clock.now_us(), paid=await self.price(name)
        )
        item = NewKeyword(wish, self._keywords_max, policy.senders_registered_only)
        (answer,) = await self._store.write(rent_keywords, [item], [name.account_id])
        if not isinstance(answer, Keyword):
            raise _refusal(answer)
        if self._upstream is not None and self._upstream.keeps(name.sender):
            await self._upstream.rent(answer, partial(self._undo, name))
        return answer

    async def _undo(self, name: KeywordName) -> None:
        await self._store.write(undo_rents, [RentUndone(name, self._clock.now_us())], [name.account_id])

    async def _policy(self, account_id: int) -> AccountPolicy:
        return (await self._policies.of((account_id,)))[account_id]

    async def configure(self, name: KeywordName, fields: Mapping[str, Any]) -> Keyword:
        """Set it up, upstream first.

        Raises BrokerError KEYWORD_NOT_FOUND, KEYWORD_GROUP_INVALID, and what stops it upstream.
        """
        if self._upstream is not None and self._upstream.keeps(name.sender):
            wanted = replace(await self.find(name), **fields)
            await self._upstream.set_up(wanted, await self._group_name(wanted))
        (answer,) = await self._store.write(change_keywords, [KeywordChange(name, fields)], [name.account_id])
        match answer:
            case NoSuchKeyword():
                raise BrokerError(ErrorReason.KEYWORD_NOT_FOUND)
            case NoSuchKeywordGroup():
                raise _no_such_group()
        return answer

    async def _group_name(self, keyword: Keyword) -> str:
        if keyword.group_id is None:
            return ""
        group = await self._store.read(read_group, keyword.account_id, keyword.group_id)
        if group is None:
            raise _no_such_group()
        return group.label.name

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


def _no_such_group() -> BrokerError:
    violation = Violation("group_id", "names no group of the account")
    return BrokerError(ErrorReason.KEYWORD_GROUP_INVALID, violations=[violation])


def _refusal(answer: KeywordTaken | SenderUnregistered | KeywordsFull | KeywordUnpaid) -> BrokerError:
    match answer:
        case KeywordTaken():
            return BrokerError(ErrorReason.KEYWORD_TAKEN)
        case SenderUnregistered():
            return BrokerError(ErrorReason.SENDER_NOT_REGISTERED)
        case KeywordsFull(allowed):
            return BrokerError(ErrorReason.KEYWORDS_FULL, metadata={"allowed": str(allowed)})
        case KeywordUnpaid(needed, available, currency):
            return not_enough(needed, available, currency)
