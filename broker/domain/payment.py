"""Credit that is paid for: what a payments backend is asked, and what it answers."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """Credit that an account buys. `token` stands for the means of payment; no card data ever comes here.

    `purchase_id` is the purchase's own: a backend that is asked again under it takes the money once.
    """

    purchase_id: str
    account_id: str
    amount_micros: int
    currency: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Paid:
    """The money is taken. `reference` is the backend's own id of the payment."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class Declined:
    """The money was surely not taken, and will not be under this purchase_id."""

    code: str = ""
    text: str = ""
