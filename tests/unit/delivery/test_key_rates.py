"""How fast a key may call."""

import contextlib

import pytest

from broker.delivery.key_rates import KeyRates
from broker.domain.access import Principal, Role
from broker.errors import BrokerError, ErrorReason
from broker.testing.builders import ManualClock


def spent(rates: KeyRates, caller: Principal) -> int:
    """How many calls in a row it may make now."""
    count = 0
    with contextlib.suppress(BrokerError):
        for count in range(1_000):  # noqa: B007
            rates.spend(caller)
        return 1_000
    return count


def test_a_key_without_a_limit_has_none() -> None:
    """Of its own."""
    assert 1_000 == spent(KeyRates(ManualClock()), Principal(7, 1, Role.SEND))


@pytest.mark.parametrize(("rate", "at_once"), [(1, 1), (10, 1), (100, 10)])
def test_a_tenth_of_a_seconds_calls_may_come_at_once(rate: int, at_once: int) -> None:
    """And then as many as the rate says; other keys are not held back."""
    clock = ManualClock()
    rates = KeyRates(clock)
    caller, other = (Principal(number, 1, Role.SEND, calls_per_second=rate) for number in (7, 8))
    assert at_once == spent(rates, caller)
    with pytest.raises(BrokerError) as refused:
        rates.spend(caller)
    assert ErrorReason.RATE_LIMITED is refused.value.reason
    assert 0 < (refused.value.retry_after_s or 0) <= 1 / rate + 0.001
    clock.advance(refused.value.retry_after_s or 0)
    assert 1 == spent(rates, caller)
    assert at_once == spent(rates, other)


def test_a_new_limit_holds_at_once() -> None:
    """As soon as the key is seen with it."""
    clock = ManualClock()
    rates = KeyRates(clock)
    assert 10 == spent(rates, Principal(7, 1, Role.SEND, calls_per_second=100))
    clock.advance(10)
    assert 1 == spent(rates, Principal(7, 1, Role.SEND, calls_per_second=1))


def test_only_so_many_keys_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that called last."""
    monkeypatch.setattr("broker.delivery.key_rates.KEYS_MAX", 3)
    rates = KeyRates(ManualClock())
    for number in range(10):
        rates.spend(Principal(number, 1, Role.SEND, calls_per_second=1))
    assert [7, 8, 9] == list(rates._buckets)
