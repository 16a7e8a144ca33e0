"""`make demo`: the first thing that anyone runs."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

EXPECTED = {
    "+447700900123": "DELIVERED",
    "+12025550147": "DELIVERED",
    "+61491570156": "DELIVERED",
    "+447700900001": "REJECTED",
    "+447700900002": "DELIVERY_FAILED",
    "+447700900003": "DELIVERED",
    "+447700900004": "DELIVERED",
    "+61491570006": "DELIVERED",
    "+447700900007": "DELIVERED",
    "+447700900008": "DELIVERED",
}


@pytest.fixture(scope="module")
def shown() -> str:
    """What the demonstration prints where there is no terminal."""
    ran = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "demo.py")],
        env={**os.environ, "COLUMNS": "140"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert 0 == ran.returncode, ran.stdout + ran.stderr
    return ran.stdout


def last_table(shown: str) -> dict[str, list[str]]:
    """The cells of each row of the last table, by recipient."""
    lines = shown[shown.rindex("recipient ") :].splitlines()
    rows = [line.split() for line in lines if line.startswith("+")]
    return {row[0]: row for row in rows}


def test_the_demo_follows_every_recipient_of_the_file_to_an_end(shown) -> None:
    """Ten recipients; the last table has the end of each."""
    with (ROOT / "examples" / "recipients.csv").open(newline="") as file:
        recipients = [row["phone_number"] for row in csv.DictReader(file)]
    assert list(EXPECTED) == recipients
    table = last_table(shown)
    assert EXPECTED == {number: next(cell for cell in table[number] if cell.isupper()) for number in EXPECTED}


def test_the_demo_shows_what_happened_on_the_way(shown) -> None:
    """Retries, a refusal, a bounce and a lost answer can all be read off."""
    table = {number: " ".join(cells) for number, cells in last_table(shown).items()}
    assert "2 not taken, tried again (busy), then delivered" in table["+447700900003"]
    assert "refused by the provider (rejected)" in table["+447700900001"]
    assert "could not be delivered (bounced)" in table["+447700900002"]
    assert "answer lost, provider asked" in table["+447700900004"]
    assert "4 not taken, tried again (throttled) x3, then delivered" in table["+447700900008"]


def test_the_demo_ends_with_a_summary(shown) -> None:
    """One line to take away."""
    assert "10 messages: 8 delivered, 1 rejected, 1 delivery failed" == shown.rstrip().splitlines()[-1]
