"""The clock: it follows small steps of the wall clock, and no jump."""

from dataclasses import dataclass

import pytest

from broker import clock as clock_module
from broker.clock import SystemClock

START_US = 1_790_000_000_000_000
MINUTE_US = 60_000_000


@dataclass
class Sources:
    """The operating system's clocks, set by the test. They start far apart, as they do."""

    wall_us: int = START_US
    monotonic_us: int = 12_345

    def pass_by(self, seconds: int) -> None:
        """Time goes by on both."""
        self.wall_us += seconds * 1_000_000
        self.monotonic_us += seconds * 1_000_000


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> Sources:
    """In the place of the real ones."""
    made = Sources()
    monkeypatch.setattr(clock_module, "_wall_us", lambda: made.wall_us)
    monkeypatch.setattr(clock_module, "_monotonic_us", lambda: made.monotonic_us)
    return made


def test_the_clock_tells_the_wall_clocks_time(sources: Sources) -> None:
    """As long as nothing is wrong."""
    clock = SystemClock()
    sources.pass_by(86_400)
    assert (START_US + 86_400_000_000, 0) == (clock.now_us(), clock.jump_us)


@pytest.mark.parametrize("step_us", [MINUTE_US, -MINUTE_US, 1, -1])
def test_a_step_of_up_to_a_minute_is_followed(sources: Sources, step_us: int) -> None:
    """A time server corrects the machine."""
    clock = SystemClock()
    sources.pass_by(10)
    sources.wall_us += step_us
    assert (sources.wall_us, 0) == (clock.now_us(), clock.jump_us)


@pytest.mark.parametrize("jump_us", [MINUTE_US + 1, -MINUTE_US - 1, 10**15, -(10**15)])
def test_a_jump_of_more_than_a_minute_is_not_followed(sources: Sources, jump_us: int) -> None:
    """Time goes on as it went, and the difference is told."""
    clock = SystemClock()
    sources.wall_us += jump_us
    assert (START_US, jump_us) == (clock.now_us(), clock.jump_us)
    sources.pass_by(10)
    assert (START_US + 10_000_000, jump_us) == (clock.now_us(), clock.jump_us)


def test_a_clock_that_comes_back_is_followed_again(sources: Sources) -> None:
    """Once both agree within a minute."""
    clock = SystemClock()
    sources.wall_us += 3_600_000_000
    clock.now_us()
    sources.pass_by(10)
    sources.wall_us -= 3_600_000_000 - 1_000_000
    assert (START_US + 11_000_000, 0) == (clock.now_us(), clock.jump_us)


def test_many_small_steps_are_all_followed(sources: Sources) -> None:
    """Each counts from the one before."""
    clock = SystemClock()
    for _ in range(10):
        sources.wall_us += 50_000_000
        assert sources.wall_us == clock.now_us()


def test_the_real_clocks_agree() -> None:
    """Nothing is patched here: the clock tells about now, and does not jump."""
    clock = SystemClock()
    before = clock_module._wall_us()
    now_us = clock.now_us()
    assert before <= now_us <= clock_module._wall_us()
    assert 0 == clock.jump_us


async def test_sleeping_for_no_time_returns() -> None:
    """It is the event loop's own."""
    await SystemClock().sleep(0)
