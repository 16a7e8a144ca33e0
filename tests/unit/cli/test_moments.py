"""Times and spans of a search."""

from datetime import UTC, datetime

import pytest

from broker.cli.failures import UsageError
from broker.cli.moments import moment_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2h", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (" 1d12h ", datetime(2026, 2, 28, 0, tzinfo=UTC)),
        ("2026-02-01T00:00:00Z", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01T00:00:00z", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01T02:00:00+02:00", datetime(2026, 2, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_time_or_how_long_ago(written, expected) -> None:
    """Whichever comes to hand."""
    assert expected == moment_of("--since", written, NOW)


@pytest.mark.parametrize("written", ["2026", "", "yesterday", "2026-02-01", "2026-02-01T00:00:00"])
def test_what_could_mean_two_things_is_refused(written) -> None:
    """A year is not a number of seconds, and a time without an offset could be hours off."""
    with pytest.raises(UsageError, match="--since"):
        moment_of("--since", written, NOW)
