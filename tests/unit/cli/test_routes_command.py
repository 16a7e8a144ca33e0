"""Routes as files and as tables, explanations as tables, and the sub-commands that may be left out."""

import io
from pathlib import Path

import pytest
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from broker.cli import program
from broker.cli.explanation_tables import explanations_shown
from broker.cli.failures import UsageError
from broker.cli.route_files import read_routes_file, routes_as_toml
from broker.cli.route_tables import money, routes_table
from waypost.v1 import explain_pb2, route_pb2

FULL = route_pb2.Route(
    name='quoted " and \\',
    provider="acme",
    channels=[1, 5],
    prefixes=["447"],
    countries=["GB"],
    senders=["Müller"],
    account_ids=["0000000000001"],
    tags=["vip"],
    traffic=[3],
    priority=2,
    weight=5,
    cost_micros=1_000_000_000_000,
)


def printed(shown: RenderableType) -> str:
    """As a wide console prints it."""
    file = io.StringIO()
    Console(file=file, width=300, highlight=False, _environ={}).print(shown)
    return file.getvalue()


def test_routes_survive_a_file(tmp_path: Path) -> None:
    """Every field, whatever is in it; and a file may have none."""
    path = tmp_path / "routes.toml"
    for routes in ([FULL, route_pb2.Route(name="r", provider="p")], []):
        path.write_text(routes_as_toml(routes), encoding="utf-8")
        assert routes == read_routes_file(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[routes]", "routes.toml: "),
        ("[routes]\nname = 'r'", "two brackets"),
        ("routes = [1]", "routes[0] is no table"),
        ("[server]\nlisten = ''", "only [[routes]] belong here, not server"),
        ("[[routes]]\nnam = 'r'", "nam"),
        ("[[routes]]\nweight = 'x'", "weight"),
        ("[[routes]]\nweight = 1.5", "weight"),
        ("[[routes]]\nchannels = ['smss']", "routes[0].channels: 'smss' is not one of email, in_app"),
        ("[[routes]]\ntraffic = [1]", "routes[0].traffic: 1 is not one of conversational"),
    ],
)
def test_a_file_that_cannot_be_meant_is_a_usage_error(tmp_path: Path, text: str, told: str) -> None:
    """It names the file and the place."""
    path = tmp_path / "routes.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_routes_file(path)
    assert told in str(refused.value)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    """With what the system says."""
    with pytest.raises(UsageError, match="No such file"):
        read_routes_file(tmp_path / "none.toml")


def test_a_route_is_a_row() -> None:
    """Long lists are cut, and money is decimal."""
    route = route_pb2.Route(name="uk", provider="acme", prefixes=list("12345"), countries=["GB"], weight=1)
    shown = printed(routes_table(route_pb2.RouteTable(version=3, key_id="K"), [route, FULL]))
    assert "+1, +2, +3, +4, 2 more" in shown
    assert "1000000" in shown
    assert "version 3, " in shown


def test_who_owns_the_routes_is_said() -> None:
    """And when there are none."""
    owned = route_pb2.RouteTable(version=3, owned_by_settings=True)
    assert "by the settings; the settings own the routes" in printed(routes_table(owned, [FULL]))
    assert "no routes: every instance" in printed(routes_table(route_pb2.RouteTable(), []))


@pytest.mark.parametrize(
    ("micros", "written"),
    [(0, ""), (1, "0.000001"), (31_500, "0.0315"), (2_000_000, "2"), (10**12, "1000000")],
)
def test_money_is_exact(micros: int, written: str) -> None:
    """No digit is lost or made up."""
    assert written == money(micros)


def test_an_explanation_numbers_the_winners() -> None:
    """In the order in which they would be tried, for each channel; losers have no number."""
    candidates = [
        explain_pb2.RouteCandidate(provider="lost", verdict=4, channel=1, reason="no route leads to it"),
        explain_pb2.RouteCandidate(provider="one", verdict=1, chosen=True, channel=3, cost_micros=600),
        explain_pb2.RouteCandidate(provider="two", verdict=2, channel=3),
    ]
    explanation = explain_pb2.Explanation(
        recipient="a@b.c",
        status=1,
        channel=3,
        units=1,
        candidates=candidates,
        losers_omitted=7,
        route_version=9,
    )
    explanation.consent.allowed = True
    shown = printed(explanations_shown([explanation, explanation]))
    rows = [line.split()[:2] for line in shown.splitlines() if line.split()[-1:] and "email" in line]
    assert [["1", "one"], ["2", "two"]] == [row for row in rows if row[0].isdigit()][:2]
    assert 2 == shown.count("and 7 more that lost")
    assert "0.0006" in shown
    assert "version 9" in shown


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["providers"], "waypost providers list"),
        (["providers", "--types"], "waypost providers list"),
        (["providers", "drain", "x"], "waypost providers drain"),
        (["routes"], "waypost routes list"),
        (["routes", "--toml"], "waypost routes list"),
        (["routes", "show", "1"], "waypost routes show"),
        (["routes", "replace", "f"], "waypost routes replace"),
    ],
)
def test_a_sub_command_that_lists_may_be_left_out(words: list[str], expected: str) -> None:
    """Told by the usage of the command that complains."""
    told = CliRunner().invoke(program.program, [*words, "--nonsense"], prog_name="waypost")
    assert (2, f"Usage: {expected}") == (told.exit_code, told.output.partition(" [")[0].strip())
