"""`waypost usage`: bars for people, CSV for spreadsheets, lines for programs."""

import csv
import io

import pytest
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from broker.cli import usage_command
from broker.cli.exit_codes import ExitCode
from broker.cli.program import program
from broker.cli.usage_chart import BAR_WIDTH, ROWS_SHOWN_MAX, bar, shown_count, usage_chart
from waypost.v1 import usage_pb2

ROWS = [
    usage_pb2.UsageRow(group=["2026-03-01", "spring"], count=1_000),
    usage_pb2.UsageRow(group=["2026-03-02", "=1+1"], count=1),
]
ANSWER = usage_pb2.UsageResponse(rows=ROWS, total=1_001)


def printed(shown: RenderableType) -> str:
    """As a wide console prints it."""
    file = io.StringIO()
    Console(file=file, width=200, color_system=None, _environ={}).print(shown)
    return file.getvalue()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[usage_pb2.UsageRequest]:
    """What the command asks a broker that has ANSWER."""
    requests: list[usage_pb2.UsageRequest] = []

    async def count(_target: object, request: usage_pb2.UsageRequest) -> usage_pb2.UsageResponse:
        requests.append(request)
        return ANSWER

    monkeypatch.setattr(usage_command, "_count", count)
    return requests


def run(*arguments: str) -> str:
    """What `waypost usage` prints."""
    result = CliRunner().invoke(program, ["usage", *arguments])
    assert ExitCode.OK == result.exit_code, result.output
    return result.stdout


def test_every_option_reaches_the_request(asked) -> None:
    """And what was not said is by day, in messages and UTC."""
    run("--by", "day", "--by", "campaign", "--json")
    written = (
        "--by tag --by day --unit credits --time-zone Europe/Berlin --account A --refunded --opted-out --json"
    )
    run(*written.split(), "--from", "2026-03-01", "--to", "2026-03-02")
    assert usage_pb2.UsageRequest(group_by=[1, 5], unit=1, time_zone="UTC") == asked[0]
    expected = usage_pb2.UsageRequest(
        start_date="2026-03-01",
        end_date="2026-03-02",
        group_by=[6, 1],
        unit=3,
        time_zone="Europe/Berlin",
        include_refunded=True,
        include_opted_out=True,
        account_ids=["A"],
    )
    assert expected == asked[1]


def test_programs_get_a_line_for_the_total_and_each_row(asked) -> None:
    """With the names of what it is split by."""
    lines = run("--by", "day", "--by", "campaign", "--json").splitlines()
    assert ['{"total":1001}', '{"day":"2026-03-01","campaign":"spring","count":1000}'] == lines[:2]


def test_a_spreadsheet_gets_no_formula(asked) -> None:
    """A campaign may be called anything; the rest is as it is."""
    rows = list(csv.reader(io.StringIO(run("--by", "day", "--by", "campaign", "--csv"))))
    assert [["day", "campaign", "messages"], ["2026-03-01", "spring", "1000"]] == rows[:2]
    assert ["2026-03-02", "'=1+1", "1"] == rows[2]
    assert (
        "day,campaign,credit_micros"
        == run("--by", "day", "--by", "campaign", "--csv", "--unit", "credits").splitlines()[0]
    )


def test_a_chart_has_a_bar_for_each_row(asked) -> None:
    """The largest is the longest, and the smallest still shows."""
    shown = run("--by", "day", "--by", "campaign").splitlines()
    (first,) = [line for line in shown if "spring" in line]
    (second,) = [line for line in shown if "=1+1" in line]
    assert ("1,000", "1") == (first.split()[2], second.split()[2])
    assert (True, True) == (first.rstrip().endswith("█"), second.rstrip().endswith("▏"))
    assert "1,001 messages in all" == shown[-1]


def test_two_forms_at_once_are_refused() -> None:
    """CSV and JSON."""
    assert ExitCode.USAGE == CliRunner().invoke(program, ["usage", "--csv", "--json"]).exit_code


def test_a_long_chart_says_what_it_leaves_out() -> None:
    """And an empty one that there is nothing."""
    rows = [usage_pb2.UsageRow(group=[str(number)], count=1) for number in range(ROWS_SHOWN_MAX + 5)]
    shown = printed(usage_chart(["tag"], "messages", usage_pb2.UsageResponse(rows=rows, total=405)))
    assert "405 messages in all; 5 more rows: see --csv" == shown.splitlines()[-1]
    assert "nothing was sent\n" == printed(usage_chart(["tag"], "messages", usage_pb2.UsageResponse()))


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [(0, 9, ""), (9, 9, "█" * BAR_WIDTH), (1, 10**9, "▏"), (1, 16, "██▌"), (-1, 9, "")],
)
def test_a_bar_is_in_proportion(count: int, most: int, expected: str) -> None:
    """To an eighth of a character."""
    assert expected == bar(count, most)


@pytest.mark.parametrize(
    ("count", "unit", "expected"),
    [
        (1_234_567, "units", "1,234,567"),
        (1_234_500_000, "credits", "1,234.50"),
        (1, "credits", "0.000001"),
        (2_000_000, "credits", "2"),
        (-1_500_000, "credits", "-1.50"),
    ],
)
def test_counts_are_readable(count: int, unit: str, expected: str) -> None:
    """Credits are told in whole ones."""
    assert expected == shown_count(count, unit)
