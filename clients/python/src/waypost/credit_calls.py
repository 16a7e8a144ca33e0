"""Credit and prices: `client.credits` and `client.prices`."""

import secrets
from collections.abc import Iterable

from waypost.connection import Connection
from waypost.credits import Balance, PriceRule, PriceTable, Purchase
from waypost.v1 import account_service_pb2 as pb
from waypost.v1 import price_service_pb2
from waypost.wire.credits import balance_of, purchase_of, rule_message, rule_of, table_of

PAGE_SIZE = 1_000


class Credits:
    """The credit of accounts; the key's own account for account_id "". Buying and moving it takes an admin or partner key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def balance(self, account_id: str = "") -> Balance:
        """What an account has."""
        request = pb.GetBalanceRequest(account_id=account_id)
        answer = await self._connection.call(self._connection.accounts.GetBalance, request)
        return balance_of(answer.balance)

    async def purchase(
        self, amount_micros: int, payment_token: str, *, request_id: str | None = None, account_id: str = ""
    ) -> Purchase:
        """Buy credit with a token for a means of payment, never a card number.

        It has a request_id, so it is repeated by itself when the connection was lost, and paid once. After an
        exception it may still have been paid: to repeat it yourself, give your own request_id both times.

        Raises FailedPrecondition when it is declined.
        """
        request = pb.PurchaseCreditsRequest(
            request_id=request_id or secrets.token_hex(16),
            account_id=account_id,
            amount_micros=amount_micros,
            payment_token=payment_token,
        )
        return purchase_of(await self._connection.call(self._connection.accounts.PurchaseCredits, request))

    async def transfer(
        self,
        amount_micros: int,
        *,
        to_account_id: str,
        from_account_id: str = "",
        request_id: str | None = None,
    ) -> tuple[Balance, Balance]:
        """Move credit within a tree of accounts, once; what both have then, first that which it came from.

        It has a request_id, as `purchase` does. Raises FailedPrecondition when there is not so much.
        """
        request = pb.TransferCreditsRequest(
            request_id=request_id or secrets.token_hex(16),
            from_account_id=from_account_id,
            to_account_id=to_account_id,
            amount_micros=amount_micros,
        )
        answer = await self._connection.call(self._connection.accounts.TransferCredits, request)
        return balance_of(answer.from_balance), balance_of(answer.to_balance)


class Prices:
    """What messages, autoreplies and keywords cost. Any key reads; replacing takes an admin key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, version: int = 0) -> PriceTable:
        """A version with all its rules; 0: the one in force. The last 200 are kept."""
        request = price_service_pb2.ListPricesRequest(version=version, page_size=PAGE_SIZE)
        pages = [page async for page in self._connection.pages(self._connection.prices.ListPrices, request)]
        return table_of(pages[-1].table, [rule_of(price) for page in pages for price in page.prices])

    async def replace(
        self, rules: Iterable[PriceRule], *, expected_version: int, validate_only: bool = False
    ) -> int:
        """Put prices in force in the place of a version; answers the new one. None at all: everything is free.

        Raises FailedPrecondition when another version is in force by now, also where the answer to our first
        attempt was lost: `get` tells.
        """
        request = price_service_pb2.ReplacePricesRequest(
            prices=map(rule_message, rules), expected_version=expected_version, validate_only=validate_only
        )
        answer = await self._connection.call(self._connection.prices.ReplacePrices, request)
        return answer.table.version
