"""Wishes of recipients that are told to upstreams which keep such wishes too: what is told, and when again."""

from broker.domain.value import value

FIRST_PAUSE_US = 1_000_000
LONGEST_PAUSE_US = 3_600_000_000
GIVE_UP_AFTER_US = 72 * 3_600 * 1_000_000
"""A change that no upstream answered for so long is not told any more."""

GAVE_UP = "gave_up"


@value
class OptInChange:
    """What a recipient wants of a sender, as an upstream is told. Times are microseconds since 1970 UTC.

    `sender` is as it was written, empty for every sender of the account. `every_account`: the recipient opted out of
    the sender whoever uses it. `keyword` is what the recipient wrote, empty where it is known otherwise.
    """

    sender: str
    recipient: str
    opted_in: bool
    every_account: bool
    keyword: str
    organisation_name: str
    recipient_name: str
    time_us: int


@value
class OptInAnswer:
    """What an upstream answered to a change; `accepted`: it took it. It is not told again."""

    accepted: bool
    code: str = ""
    text: str = ""


@value
class OptInQuery:
    """A sender and a recipient that an upstream is asked about."""

    sender: str
    recipient: str


@value
class OptInFound:
    """What an upstream keeps; `opted_in` is None where it knows nothing."""

    opted_in: bool | None
    code: str = ""
    text: str = ""


def next_try_at(tries: int, said_at_us: int, now_us: int, retry_after_s: float | None) -> int | None:
    """When a change is told again after so many tries without an answer; None: it is given up."""
    if now_us - said_at_us >= GIVE_UP_AFTER_US:
        return None
    pause_us = min(FIRST_PAUSE_US << min(tries - 1, 20), LONGEST_PAUSE_US)
    wish_us = round(min(max(retry_after_s or 0.0, 0.0), LONGEST_PAUSE_US / 1e6) * 1_000_000)
    return now_us + max(pause_us, wish_us)
