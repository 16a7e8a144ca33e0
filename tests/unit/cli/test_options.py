"""How spans and times are written on the command line."""

from datetime import UTC, datetime, timedelta

import pytest

from broker.cli.failures import UsageError
from broker.cli.options import link_actions_of, span_of, span_s_of, time_of


@pytest.mark.parametrize(
    ("written", "span_s"),
    [
        ("600", 600.0),
        ("600s", 600.0),
        ("10m", 600.0),
        ("1h30m", 5_400.0),
        ("1.5d", 129_600.0),
        ("250ms", 0.25),
        ("0.5", 0.5),
        (" 2h ", 7_200.0),
        ("0s", 0.0),
    ],
)
def test_a_span_is_seconds_or_steps_with_units(written, span_s) -> None:
    """Plain numbers are seconds."""
    assert span_s == span_s_of("--validity", written)


@pytest.mark.parametrize(
    "written", ["", "m", "10 m", "10x", "-5s", "1e3", "10m5", "inf", "nan", "1..5s", "٣s"]
)
def test_what_is_no_span_is_refused_with_the_option(written) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError, match="--validity"):
        span_s_of("--validity", written)


def test_an_absurd_span_is_refused() -> None:
    """Before it overflows somewhere else."""
    with pytest.raises(UsageError, match="hundred years"):
        span_of("--timeout", "9" * 30)


def test_a_span_keeps_its_fractions() -> None:
    """As a timedelta too."""
    assert timedelta(seconds=1, milliseconds=500) == span_of("--validity", "1500ms")


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026-12-24T18:00:00Z", datetime(2026, 12, 24, 18, tzinfo=UTC)),
        ("2026-12-24T18:00Z", datetime(2026, 12, 24, 18, tzinfo=UTC)),
        ("2026-12-24 19:00:00+01:00", datetime(2026, 12, 24, 18, tzinfo=UTC)),
        ("2026-12-24T18:00:00.25Z", datetime(2026, 12, 24, 18, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_a_time_is_rfc_3339(written, time) -> None:
    """It is understood as UTC."""
    assert time == time_of("--schedule", written)


@pytest.mark.parametrize("written", ["", "tomorrow", "2026-12-24", "18:00Z", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_refused(written) -> None:
    """With an example."""
    with pytest.raises(UsageError, match="write 2026-12-24T18:00:00Z"):
        time_of("--schedule", written)


def test_a_time_without_an_offset_is_refused() -> None:
    """A guess could be hours off."""
    with pytest.raises(UsageError, match="no offset"):
        time_of("--schedule", "2026-12-24T18:00:00")


def test_a_link_action_is_a_text_and_a_url() -> None:
    """Divided by the first "=", since a URL may have more."""
    assert [("Open", "https://example.org/?a=b")] == link_actions_of(["Open=https://example.org/?a=b"])


@pytest.mark.parametrize("word", ["Open", "=https://example.org", "Open="])
def test_what_is_no_link_action_is_refused(word) -> None:
    """With the word."""
    with pytest.raises(UsageError, match="TEXT=URL"):
        link_actions_of([word])
