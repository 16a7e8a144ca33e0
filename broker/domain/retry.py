"""When to try again, as a value: exponential backoff with full jitter, within limits."""

from broker.domain.value import value

RETRY_AFTER_S_MAX = 30 * 86_400
"""The longest wish of a provider that is believed: longer than any validity, and far from overflowing a time."""


@value
class RetryPolicy:
    """How often and how soon. Delays are in seconds.

    The delay before attempt n+1 is drawn evenly from 0 to min(cap, base * 2^(n-1)): full jitter, so
    that callers who failed together do not come back together.
    """

    attempts_max: int = 12
    base_s: float = 1.0
    cap_s: float = 900.0


@value
class RetryAt:
    """Try again at this time, in microseconds since 1970 UTC."""

    at_us: int


@value
class GiveUp:
    """No attempts are left."""


def after_refusal(
    policy: RetryPolicy, *, attempt: int, now_us: int, retry_after_s: float | None, chance: float
) -> RetryAt | GiveUp:
    """What to do after attempt number `attempt` (from 1) was not accepted.

    `chance` is a random number in [0, 1). A provider's own `retry_after_s` is the least delay; a wish that is
    not a number is none, and one beyond `RETRY_AFTER_S_MAX` is cut.
    """
    if attempt >= policy.attempts_max:
        return GiveUp()
    # The exponent is bounded so that no attempt count can overflow a float.
    ceiling_s = min(policy.cap_s, policy.base_s * 2.0 ** min(attempt - 1, 60))
    delay_s = chance * ceiling_s
    if retry_after_s is not None and retry_after_s > delay_s:  # never so for what is not a number
        delay_s = min(retry_after_s, RETRY_AFTER_S_MAX)
    return RetryAt(now_us + round(delay_s * 1_000_000))


def next_question_at(*, asked: int, now_us: int, first_s: float, cap_s: float) -> int:
    """When to ask a provider again about a message, after `asked` questions: doubling, without jitter."""
    return now_us + round(min(cap_s, first_s * 2.0 ** min(asked, 60)) * 1_000_000)
