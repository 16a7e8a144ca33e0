"""What a decision about a submission stands on besides what was asked."""

from collections.abc import Callable, Collection
from dataclasses import field

from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.domain.carrying import FindCandidates, FindCarriers
from broker.domain.prices import FREE, Prices
from broker.domain.sender_book import from_free_sender
from broker.domain.style import NO_STYLES, StyleClasses
from broker.domain.value import value

DrawCode = Callable[[], int]
"""A number of 63 random bits, another at each call."""


def no_codes() -> int:
    """Where no link is shortened."""
    raise AssertionError("a link is shortened and no code can be drawn")


@value
class Grounds:
    """The time, the limits, the routes of `route_version`, the prices, the account's policy and senders, and chance.

    `providers` are the instances that may be named.
    """

    now_us: int
    units_max: int
    find_candidates: FindCandidates
    route_version: int = 0
    policy: AccountPolicy = NO_POLICY
    style_classes: StyleClasses = field(default_factory=lambda: NO_STYLES)
    prices: Prices = field(default_factory=lambda: FREE)
    find_carriers: FindCarriers = from_free_sender
    draw_code: DrawCode = no_codes
    providers: Collection[str] = ()
