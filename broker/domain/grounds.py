"""What a decision about a submission stands on besides what was asked."""

from collections.abc import Callable
from dataclasses import field

from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.domain.prices import FREE, Prices
from broker.domain.style import NO_STYLES, StyleClasses
from broker.domain.submission import Submission
from broker.domain.value import value
from broker.domain.vocabulary import Channel

FindCandidates = Callable[[Submission, Channel, str, int], tuple[str, ...]]
"""The provider instances that may carry a submission on a channel to a normal address, in the order to try
them; none when there are none. The message's id decides where weights leave it to chance.
"""


@value
class Grounds:
    """The time, the limits, the routes of `route_version`, the prices, and what the account's policy says."""

    now_us: int
    units_max: int
    find_candidates: FindCandidates
    route_version: int = 0
    policy: AccountPolicy = NO_POLICY
    style_classes: StyleClasses = field(default_factory=lambda: NO_STYLES)
    prices: Prices = field(default_factory=lambda: FREE)
