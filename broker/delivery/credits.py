"""Credit of accounts, as callers work with it: what there is, buying more, and moving it within a tree."""

import asyncio
from collections.abc import Sequence

import orjson
import structlog

from broker.delivery.identities import Identities
from broker.domain.ids import format_id
from broker.domain.price import shortfall
from broker.domain.value import value
from broker.errors import BrokerError, ErrorReason
from broker.settings import SettingsError
from broker.spi import Clock, Declined, Paid, PaymentOrder, PaymentsBackend
from broker.storage.accounts import read_account
from broker.storage.crediting import (
    DeedState,
    NotEnough,
    Purchase,
    PurchaseEnd,
    PurchaseWish,
    RequestReused,
    TransferWish,
    begin_purchases,
    end_purchases,
    transfer,
)
from broker.storage.ledger import Balance, read_balance, read_other_currency
from broker.storage.store import Store

__all__ = ["Balance", "Bought", "Credits", "not_enough"]

log = structlog.get_logger("waypost.credits")

PAYMENT_S_MAX = 60.0
TOP_CHARACTERS = 16
"""Of an account's path, those that name the top of its tree."""


@value
class Bought:
    """A purchase that was paid, and the account's credit with it."""

    purchase_id: int
    reference: str
    balance: Balance


class Credits:
    """The credit of every account, in micros of one `currency`."""

    def __init__(
        self,
        store: Store,
        identities: Identities,
        clock: Clock,
        payments: PaymentsBackend | None,
        *,
        currency: str,
        purchase_micros_min: int,
    ) -> None:
        self._store = store
        self._identities = identities
        self._clock = clock
        self._payments = payments
        self.currency = currency
        self.purchase_micros_min = purchase_micros_min

    async def start(self) -> None:
        """Raises SettingsError where there is credit in another currency."""
        other = await self._store.read(read_other_currency, self.currency)
        if other is not None:
            raise SettingsError(f"credits.currency is {self.currency}, and accounts have credit in {other}")

    async def balance(self, account_id: int) -> Balance:
        """What an account has."""
        return await self._store.read(read_balance, account_id)

    async def purchase(self, account_id: int, request_id: str, micros: int, token: str) -> Bought:
        """Buy credit, once for each request_id.

        Raises BrokerError PAYMENT_DECLINED, PAYMENT_UNKNOWN, PAYMENTS_NOT_CONFIGURED or REQUEST_ID_REUSED.
        """
        if self._payments is None:
            raise BrokerError(ErrorReason.PAYMENTS_NOT_CONFIGURED)
        (purchase_id,) = await self._identities.take(1)
        wish = PurchaseWish(account_id, request_id, purchase_id, micros, self._clock.now_us())
        (begun,) = await self._store.write(begin_purchases, [wish], [account_id])
        if isinstance(begun, RequestReused):
            raise BrokerError(ErrorReason.REQUEST_ID_REUSED, metadata={"request_id": request_id})
        if begun.state is not DeedState.OPEN:
            return _bought(begun, await self.balance(account_id))
        order = PaymentOrder(
            format_id(begun.purchase_id), format_id(account_id), micros, self.currency, token
        )
        verdict = await self._pay(self._payments, order)
        end = PurchaseEnd(
            account_id,
            request_id,
            isinstance(verdict, Paid),
            _dump(verdict),
            self.currency,
            self._clock.now_us(),
        )
        ((ended, balance),) = await self._store.write(end_purchases, [end], [account_id])
        return _bought(ended, balance)

    async def transfer(
        self, account_id: int, other_account_id: int, request_id: str, micros: int
    ) -> tuple[Balance, Balance]:
        """Move credit within a tree of accounts, once for each request_id; answers what both have then.

        Raises BrokerError CREDIT_EXHAUSTED, ACCOUNTS_UNRELATED or REQUEST_ID_REUSED.
        """
        pair = [await self._store.read(read_account, each) for each in (account_id, other_account_id)]
        if len({each.path[:TOP_CHARACTERS] for each in pair if each is not None}) != 1:
            raise BrokerError(ErrorReason.ACCOUNTS_UNRELATED)
        (transfer_id,) = await self._identities.take(1)
        wish = TransferWish(
            account_id, other_account_id, request_id, transfer_id, micros, self._clock.now_us()
        )
        (answer,) = await self._store.write(transfer, [wish], [account_id, other_account_id])
        if isinstance(answer, RequestReused):
            raise BrokerError(ErrorReason.REQUEST_ID_REUSED, metadata={"request_id": request_id})
        if isinstance(answer, NotEnough):
            raise not_enough(micros, answer.available, answer.currency or self.currency)
        return answer.balance, answer.other_balance

    async def _pay(self, payments: PaymentsBackend, order: PaymentOrder) -> Paid | Declined:
        try:
            async with asyncio.timeout(PAYMENT_S_MAX):
                verdict: object = await payments.pay(order)
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises, nobody knows whether it was paid
            verdict = error
        if isinstance(verdict, Paid | Declined):
            return verdict
        log.warning("credits.payment_unknown", type=type(verdict).__name__)
        raise BrokerError(ErrorReason.PAYMENT_UNKNOWN, retry_after_s=1)


def not_enough(needed: int, available: int, currency: str) -> BrokerError:
    """The refusal of what costs more than there is."""
    metadata = {
        "needed_micros": str(needed),
        "available_micros": str(available),
        "currency": currency,
    }
    told = shortfall(needed, available, currency)
    return BrokerError(ErrorReason.CREDIT_EXHAUSTED, told, metadata=metadata)


def _bought(purchase: Purchase, balance: Balance) -> Bought:
    reference, code, text = _load(purchase.told)
    if purchase.state is DeedState.DECLINED:
        metadata = {"code": code} if code else {}
        raise BrokerError(ErrorReason.PAYMENT_DECLINED, text or None, metadata=metadata)
    return Bought(purchase.purchase_id, reference, balance)


def _dump(verdict: Paid | Declined) -> str:
    if isinstance(verdict, Paid):
        return orjson.dumps([verdict.reference[:256], "", ""]).decode()
    return orjson.dumps(["", verdict.code[:64], verdict.text[:512]]).decode()


def _load(told: str) -> Sequence[str]:
    fields: list[str] = orjson.loads(told)
    return fields
