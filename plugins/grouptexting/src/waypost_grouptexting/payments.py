"""Buying credits at Group Texting as a payments backend: a purchase in Waypost is one there, with the operator's card.

The token of a purchase names a card of the settings. Group Texting buys again whenever it is asked, so each purchase leaves a
file before it is asked for; a purchase whose answer was lost is never asked for again by itself.
"""

import asyncio
import os
import time
from pathlib import Path

from broker.spi import Declined, Paid, PaymentOrder, PaymentsBackend
from waypost_grouptexting.card import Card, CardError, read_card
from waypost_grouptexting.mapping import NOT_PROCESSED, number_in, said
from waypost_grouptexting.payments_settings import GroupTextingPaymentsSettings
from waypost_grouptexting.wire import Answered, Exchange, Line, NotSent

BOUGHT, NOT_BOUGHT, WRONG_CREDENTIALS = 1, 0, -1
BEGUN, PAID, DECLINED = "begun", "paid", "declined"
DECLINED_ANSWER = Declined("0", "Group Texting declined the card")


class PurchaseInDoubt(Exception):
    """Nobody knows whether credits were bought. Its text tells the code of the answer."""


class GroupTextingPayments(PaymentsBackend):
    """Takes the money by buying as many credits there."""

    def __init__(self, settings: GroupTextingPaymentsSettings) -> None:
        self._settings = settings
        self._turn = asyncio.Lock()

    async def pay(self, order: PaymentOrder) -> Paid | Declined:
        """Buy the credits that the amount is worth. Raises PurchaseInDoubt."""
        path = self._settings.cards.get(order.token)
        if path is None:
            return Declined("no_card", "the token names no card of the settings")
        credits_, rest = divmod(order.amount_micros, self._settings.credit_micros)
        if rest or not credits_:
            return Declined("amount", f"must be a multiple of {self._settings.credit_micros} millionths")
        async with self._turn:
            return await self._once(order.purchase_id, path, credits_)

    async def _once(self, purchase_id: str, path: Path, credits_: int) -> Paid | Declined:
        mark = Mark(self._settings.purchases_dir / f"{purchase_id}.grouptexting")
        match await asyncio.to_thread(mark.read):
            case "":
                pass
            case "paid":
                return Paid(purchase_id)
            case "declined":
                return DECLINED_ANSWER
            case _:
                raise PurchaseInDoubt("an earlier answer was lost; see the README")
        try:
            card = await asyncio.to_thread(read_card, path)
        except CardError as error:
            raise PurchaseInDoubt(f"card: {error}") from None
        await asyncio.to_thread(mark.write, BEGUN)
        return await self._judged(await self._buy(card, credits_), mark, purchase_id)

    async def _judged(self, exchange: Exchange, mark: "Mark", purchase_id: str) -> Paid | Declined:
        number = number_in(exchange) if isinstance(exchange, Answered) else None
        if number == BOUGHT:
            await asyncio.to_thread(mark.write, PAID)
            return Paid(purchase_id)
        if number == NOT_BOUGHT:
            await asyncio.to_thread(mark.write, DECLINED)
            return DECLINED_ANSWER
        if isinstance(exchange, NotSent) or number == WRONG_CREDENTIALS or _turned_away(exchange):
            await asyncio.to_thread(mark.remove)  # nothing was bought: it may be asked for again
        raise PurchaseInDoubt(said(exchange))

    async def _buy(self, card: Card, credits_: int) -> Exchange:
        line = Line(self._settings, RealTime())
        try:
            return await line.ask("credits/buy", {**card.fields(), "credits": str(credits_)}, post=True)
        finally:
            await line.close()


class Mark:
    """What is known of one purchase, in a file that outlives the broker."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str:
        """What it says; "" for a purchase that was never asked for."""
        return self._path.read_text(encoding="ascii").strip() if self._path.exists() else ""

    def write(self, word: str) -> None:
        """Say this from now on; it is on disk when this returns, and never half."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(word)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._sync_directory()

    def remove(self) -> None:
        """It was never asked for."""
        self._path.unlink(missing_ok=True)
        self._sync_directory()

    def _sync_directory(self) -> None:
        handle = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class RealTime:
    """A payments backend is lent no clock."""

    def now_us(self) -> int:
        """By the operating system."""
        return time.time_ns() // 1_000

    async def sleep(self, seconds: float) -> None:
        """As long as it takes."""
        await asyncio.sleep(seconds)


def _turned_away(exchange: Exchange) -> bool:
    return isinstance(exchange, Answered) and exchange.status in NOT_PROCESSED
