"""Where and when to try again: candidate by candidate, then exponential backoff with full jitter, within limits."""

from collections.abc import Collection, Sequence

from broker.domain.value import value

RETRY_AFTER_S_MAX = 30 * 86_400
"""The longest wish of a provider that is believed: longer than any validity, and far from overflowing a time."""


@value
class RetryPolicy:
    """How often and how soon. Delays are in seconds.

    A round tries every candidate once. The delay after round n is drawn evenly from 0 to
    min(cap, base * 2^(n-1)): full jitter, so that callers who failed together do not come back together.
    `hops_max` bounds how often a message goes from one candidate to another; then it stays where it is.
    """

    attempts_max: int = 12
    hops_max: int = 24
    base_s: float = 1.0
    cap_s: float = 900.0


def next_round_at(
    policy: RetryPolicy, *, rounds: int, now_us: int, retry_after_s: float | None, chance: float
) -> int:
    """When to begin anew after `rounds` (from 1) of which no candidate accepted, in microseconds UTC.

    `chance` is a random number in [0, 1). A provider's own `retry_after_s` is the least delay; a wish that is
    not a number is none, and one beyond `RETRY_AFTER_S_MAX` is cut.
    """
    # The exponent is bounded so that no number of rounds can overflow a float.
    ceiling_s = min(policy.cap_s, policy.base_s * 2.0 ** min(rounds - 1, 60))
    delay_s = chance * ceiling_s
    if retry_after_s is not None and retry_after_s > delay_s:  # never so for what is not a number
        delay_s = min(retry_after_s, RETRY_AFTER_S_MAX)
    return now_us + round(delay_s * 1_000_000)


def next_candidate(
    candidates: Sequence[str], current: str, shut: Collection[str], *, wrap: bool = False
) -> str | None:
    """The first candidate behind `current` that is not shut; None when there is none.

    With `wrap` those before it are looked at too, after the others, and `current` itself never is.
    A `current` that is no candidate stands before the first.
    """
    behind = candidates.index(current) + 1 if current in candidates else 0
    order = [*candidates[behind:], *candidates[:behind]] if wrap else candidates[behind:]
    return next((name for name in order if name not in shut and name != current), None)


def next_question_at(*, asked: int, now_us: int, first_s: float, cap_s: float) -> int:
    """When to ask a provider again about a message, after `asked` questions: doubling, without jitter."""
    return now_us + round(min(cap_s, first_s * 2.0 ** min(asked, 60)) * 1_000_000)
