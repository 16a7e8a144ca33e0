"""Verbs of keywords: rent, set up and release them, and find what was texted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from broker.domain.callback_url import CallbackMethod
from broker.domain.keyword import Keyword
from broker.domain.price import Price
from broker.domain.value import value
from broker.storage.groups import read_group
from broker.storage.journal import open_ledger
from broker.storage.senders import read_owners
from broker.storage.transaction import Row, Transaction


@value
class KeywordName:
    """A plain word at one of our addresses, for an account."""

    account_id: int
    sender: str
    word: str


@value
class NewKeyword:
    """A keyword to rent for an account that may have `keywords_max`; it pays what `keyword.paid` says.

    `registered_only`: the account may use no senders but those that it has registered.
    """

    keyword: Keyword
    keywords_max: int
    registered_only: bool = False


@value
class KeywordChange:
    """New values for those fields of a keyword that are named."""

    name: KeywordName
    fields: Mapping[str, Any]


@value
class KeywordTaken:
    """Somebody has it, or the address is a registered sender of others alone."""


@value
class SenderUnregistered:
    """The account may use no sender that it has not registered, and this is one."""


@value
class KeywordsFull:
    """The account has as many as it may."""

    allowed: int


@value
class KeywordUnpaid:
    """The account's credit does not suffice, in micros: nothing is rented."""

    needed: int
    available: int
    currency: str


@value
class NoSuchKeyword:
    """The account has not rented it."""


@value
class NoSuchKeywordGroup:
    """The account has no such group."""


Rented = Keyword | KeywordTaken | SenderUnregistered | KeywordsFull | KeywordUnpaid


def rent_keywords(tx: Transaction, items: list[NewKeyword]) -> list[Rented]:
    """Give each keyword to its account, in order, where it is free and the account can pay for it."""
    return [_rent(tx, item) for item in items]


def _rent(tx: Transaction, item: NewKeyword) -> Rented:
    keyword = item.keyword
    if not read_available(tx, KeywordName(keyword.account_id, keyword.sender, keyword.word)):
        return KeywordTaken()
    if item.registered_only and not read_owners(tx, {keyword.sender}):
        return SenderUnregistered()
    count = tx.one("count_keywords", account_id=keyword.account_id)
    if count is not None and count[0] >= item.keywords_max:
        return KeywordsFull(item.keywords_max)
    if keyword.paid is not None:
        ledger = open_ledger(tx, keyword.rented_at_us)
        if not ledger.spend(keyword.account_id, keyword.paid.micros):
            available = ledger.balance(keyword.account_id).available
            return KeywordUnpaid(keyword.paid.micros, available, keyword.paid.currency)
    tx.bulk("insert_keywords", [_row(keyword)])
    return keyword


def read_available(tx: Transaction, name: KeywordName) -> bool:
    """Whether an account could rent a keyword: nobody has it there, and the address is not only others'."""
    owners = read_owners(tx, {name.sender}).get(name.sender)
    mine = owners is None or name.account_id in owners
    return mine and not read_keywords_at(tx, {name.sender}, {name.word})


def change_keywords(
    tx: Transaction, items: list[KeywordChange]
) -> list[Keyword | NoSuchKeyword | NoSuchKeywordGroup]:
    """Set keywords up, in order."""
    return [_change(tx, item) for item in items]


def _change(tx: Transaction, item: KeywordChange) -> Keyword | NoSuchKeyword | NoSuchKeywordGroup:
    old = read_keyword(tx, item.name)
    if old is None:
        return NoSuchKeyword()
    group_id = item.fields.get("group_id")
    if isinstance(group_id, int) and read_group(tx, item.name.account_id, group_id) is None:
        return NoSuchKeywordGroup()
    new = replace(old, **item.fields)
    tx.bulk("update_keywords", [(new.sender, new.word, *_row(new)[4:10])])
    return new


def release_keywords(tx: Transaction, items: list[KeywordName]) -> list[bool]:
    """Give keywords back; False for one that the account has not rented. What was paid stays paid."""
    return [
        bool(tx.all("delete_keyword", sender=item.sender, keyword=item.word, account_id=item.account_id))
        for item in items
    ]


@value
class RentUndone:
    """A keyword that its account did not get after all, at a time."""

    name: KeywordName
    now_us: int


def undo_rents(tx: Transaction, items: list[RentUndone]) -> list[bool]:
    """Give keywords back, and what was paid for them; False for one that the account has not rented."""
    return [_undo(tx, item) for item in items]


def _undo(tx: Transaction, item: RentUndone) -> bool:
    keyword = read_keyword(tx, item.name)
    if keyword is None:
        return False
    release_keywords(tx, [item.name])
    if keyword.paid is not None:
        open_ledger(tx, item.now_us).refund(keyword.account_id, keyword.paid.micros)
    return True


def read_keyword(tx: Transaction, name: KeywordName) -> Keyword | None:
    """A keyword of an account; None also for another account's."""
    found = read_keywords_at(tx, {name.sender}, {name.word}).get((name.sender, name.word))
    return found if found is not None and found.account_id == name.account_id else None


def read_keywords_at(
    tx: Transaction, senders: Collection[str], words: Collection[str]
) -> Mapping[tuple[str, str], Keyword]:
    """The keywords among these words at these addresses, by both."""
    rows = tx.all("keywords_at", senders=sorted(senders), keywords=sorted(words))
    return {(each.sender, each.word): each for each in map(_keyword, rows)}


def read_keywords(
    tx: Transaction, account_id: int, after: tuple[str, str], rows_max: int, only_sender: str = ""
) -> Sequence[Keyword]:
    """A page of an account's keywords, by address and word; of all addresses unless one is named."""
    rows = tx.all(
        "keywords_of_account",
        account_id=account_id,
        sender=after[0],
        keyword=after[1],
        only_sender=only_sender,
        rows_max=rows_max,
    )
    return [_keyword(row) for row in rows]


def _keyword(row: Row) -> Keyword:
    account_id, sender, word, rented_at_us, group_id, autoreply, forward_to, url, method, unique, *paid = row
    settings = (group_id, autoreply, forward_to, url, CallbackMethod(method), bool(unique))
    price = None if paid[0] is None else Price(paid[0], paid[1])
    return Keyword(account_id, sender, word, rented_at_us, *settings, price)


def _row(keyword: Keyword) -> tuple[object, ...]:
    return (
        keyword.account_id,
        keyword.sender,
        keyword.word,
        keyword.rented_at_us,
        keyword.group_id,
        keyword.autoreply,
        keyword.forward_to,
        keyword.callback_url,
        keyword.callback_method,
        int(keyword.send_unique),
        None if keyword.paid is None else keyword.paid.micros,
        None if keyword.paid is None else keyword.paid.currency,
    )
