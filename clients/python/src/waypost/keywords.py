"""Words that people text to one of our addresses."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from waypost.sending import Price
from waypost.vocabulary import CallbackMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """A keyword that an account has rented, and what happens when somebody texts it. An empty str: nothing does.

    sender: the address that it is texted to.
    keyword: in upper case.
    send_unique: the callback URL alone is called, and no webhook besides.
    price: what the account paid for it. None: nothing.
    """

    account_id: str
    sender: str
    keyword: str
    group_id: str
    autoreply: str
    forward_to_email: str
    callback_url: str
    callback_method: CallbackMethod
    send_unique: bool
    rent_time: datetime
    price: Price | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordOffer:
    """Whether an account can rent a keyword now, and what that costs it. price: None: nothing."""

    available: bool
    price: Price | None


class KeywordFields(TypedDict, total=False):
    """What is to happen when a keyword is texted; what is left out stays as it is. "" ends it, but for an autoreply."""

    group_id: str
    autoreply: str
    forward_to_email: str
    callback_url: str
    callback_method: CallbackMethod
    send_unique: bool
