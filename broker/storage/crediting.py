"""Verbs of credit: purchases and transfers, each once however often it is asked for.

A purchase is two verbs with the payment between them: it is written down before the payments backend is called,
and so always known by its own id, under which the backend takes the money once. A crash in between leaves it
OPEN; the same call goes on with it.
"""

from enum import IntEnum

from broker.domain.value import value
from broker.storage.journal import open_ledger
from broker.storage.ledger import Balance, Ledger
from broker.storage.transaction import Row, Transaction


class DeedState(IntEnum):
    """How far a purchase or transfer has come. Numbers are stored."""

    OPEN = 1
    DONE = 2
    DECLINED = 3


@value
class PurchaseWish:
    """Credit to buy, under a request_id; `purchase_id` is its id where it is new."""

    account_id: int
    request_id: str
    purchase_id: int
    micros: int
    now_us: int


@value
class Purchase:
    """A purchase as it is written down. `told` is what the payments backend said of it."""

    purchase_id: int
    state: DeedState
    told: str


@value
class RequestReused:
    """Another wish was written down under this request_id."""


@value
class PurchaseEnd:
    """What the payments backend said of an open purchase."""

    account_id: int
    request_id: str
    paid: bool
    told: str
    currency: str
    now_us: int


@value
class TransferWish:
    """Credit to move from an account to another, under a request_id of the first; `transfer_id` where it is new."""

    account_id: int
    other_account_id: int
    request_id: str
    transfer_id: int
    micros: int
    now_us: int


@value
class Transferred:
    """It is done, now or since before: what both can spend now."""

    balance: Balance
    other_balance: Balance


@value
class NotEnough:
    """The account cannot spend so much."""

    available: int
    currency: str


def begin_purchases(tx: Transaction, items: list[PurchaseWish]) -> list[Purchase | RequestReused]:
    """Write purchases down, or find them as they are."""
    return [_begin_one(tx, item) for item in items]


def _begin_one(tx: Transaction, item: PurchaseWish) -> Purchase | RequestReused:
    row = _deed(tx, item.account_id, item.request_id)
    if row is None:
        tx.bulk(
            "insert_credit_deeds",
            [
                (
                    item.account_id,
                    item.request_id,
                    item.purchase_id,
                    item.now_us,
                    0,
                    item.micros,
                    DeedState.OPEN,
                    "",
                )
            ],
        )
        return Purchase(item.purchase_id, DeedState.OPEN, "")
    deed_id, other_account_id, amount, state, told = row
    if (other_account_id, amount) != (0, item.micros):
        return RequestReused()
    return Purchase(deed_id, DeedState(state), told)


def end_purchases(tx: Transaction, items: list[PurchaseEnd]) -> list[tuple[Purchase, Balance]]:
    """Credit what was paid, once; answers each purchase and the account's credit as they are then."""
    return [_end_one(tx, item) for item in items]


def _end_one(tx: Transaction, item: PurchaseEnd) -> tuple[Purchase, Balance]:
    row = _deed(tx, item.account_id, item.request_id)
    assert row is not None, "a purchase is written down before it is paid"
    ledger = open_ledger(tx, item.now_us)
    deed_id, _, amount, state, told = row
    if state == DeedState.OPEN:
        state, told = (DeedState.DONE if item.paid else DeedState.DECLINED), item.told
        tx.all(
            "update_credit_deed",
            account_id=item.account_id,
            request_id=item.request_id,
            state=state,
            told=told,
        )
        if item.paid:
            ledger.buy(item.account_id, amount, item.currency)
    return Purchase(deed_id, DeedState(state), told), ledger.balance(item.account_id)


def transfer(tx: Transaction, items: list[TransferWish]) -> list[Transferred | NotEnough | RequestReused]:
    """Move credit between accounts, never below zero."""
    tx.lock_accounts({each for item in items for each in (item.account_id, item.other_account_id)})
    return [_transfer_one(tx, open_ledger(tx, item.now_us), item) for item in items]


def _transfer_one(
    tx: Transaction, ledger: Ledger, item: TransferWish
) -> Transferred | NotEnough | RequestReused:
    row = _deed(tx, item.account_id, item.request_id) if item.request_id else None
    if row is not None and (row[1], row[2]) != (item.other_account_id, item.micros):
        return RequestReused()
    if row is None:
        if not ledger.move(item.account_id, item.other_account_id, item.micros):
            balance = ledger.balance(item.account_id)
            return NotEnough(balance.available, balance.currency)
        if item.request_id:
            place = (item.account_id, item.request_id, item.transfer_id, item.now_us)
            tx.bulk(
                "insert_credit_deeds",
                [(*place, item.other_account_id, item.micros, DeedState.DONE, "")],
            )
    return Transferred(ledger.balance(item.account_id), ledger.balance(item.other_account_id))


def _deed(tx: Transaction, account_id: int, request_id: str) -> Row | None:
    return tx.one("credit_deed", account_id=account_id, request_id=request_id)
