"""`waypost credits` and `waypost prices`: amounts as people write them, and files that survive a round trip."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.cli import credits_command, prices_command
from broker.cli.amounts import amount_text, micros_of
from broker.cli.exit_codes import ExitCode
from broker.cli.failures import UsageError
from broker.cli.price_files import prices_as_toml, read_prices_file
from broker.cli.program import program
from waypost.v1 import account_service_pb2 as pb
from waypost.v1 import price_service_pb2

FULL = price_service_pb2.PriceRule(
    provider="acme",
    channels=[1, 5],
    prefixes=["447"],
    countries=["GB"],
    price={"amount_micros": 35_001},
)
HELD = pb.Balance(amount_micros=1_500_000, held_micros=35_000, spent_micros=-1, currency="EUR")


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("5", 5_000_000),
        ("0.035", 35_000),
        ("0.000001", 1),
        (" 12.50 ", 12_500_000),
        ("999999999", 999_999_999_000_000),
    ],
)
def test_amounts_are_exact(written: str, micros: int) -> None:
    """No float is in between."""
    assert micros == micros_of("AMOUNT", written)


@pytest.mark.parametrize("written", ["", "-1", "1,5", "1e3", ".5", "0.0000001", "\u0665"])
def test_what_is_no_amount_is_refused(written: str) -> None:
    """Rather than guessed."""
    with pytest.raises(UsageError, match="is no amount"):
        micros_of("AMOUNT", written)


@pytest.mark.parametrize(
    ("micros", "shown"),
    [(0, "0.00"), (35_000, "0.035"), (1_234_500_000, "1,234.50"), (-1, "-0.000001")],
)
def test_amounts_are_readable(micros: int, shown: str) -> None:
    """With two decimals at least."""
    assert shown == amount_text(micros)


def test_prices_survive_a_file(tmp_path: Path) -> None:
    """Every field; and a file may have none."""
    path = tmp_path / "prices.toml"
    items = [price_service_pb2.PriceRule(price={}, item=item) for item in range(3)]
    for rules in ([FULL, *items], []):
        path.write_text(prices_as_toml(rules), encoding="utf-8")
        assert rules == read_prices_file(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[prices]", "prices.toml: "),
        ("[prices]\namount = 1", "two brackets"),
        ("prices = [1]", "prices[0] is no table"),
        ("x = 1", "only [[prices]] belong here, not x"),
        ("[[prices]]\namout = 1", "amout: not one of"),
        ("[[prices]]\nprovider = 'a'", "has no amount"),
        ("[[prices]]\namount = -1", "is no amount"),
        ("[[prices]]\namount = 1\nchannels = ['smss']", "a list of"),
        ("[[prices]]\namount = 1\nprefixes = 44", "prefixes"),
        ("[[prices]]\namount = 1\nitem = 'page'", "one of autoreply, keyword"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """With its place."""
    path = tmp_path / "prices.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        read_prices_file(path)
    assert told in str(error.value)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the commands ask a broker."""
    requests: list[object] = []
    answers = {
        "GetBalance": pb.GetBalanceResponse(balance=HELD),
        "PurchaseCredits": pb.PurchaseCreditsResponse(balance=HELD, purchase_id="P", payment_reference="ref"),
        "TransferCredits": pb.TransferCreditsResponse(from_balance=HELD, to_balance=HELD),
    }

    async def ask(_target: object, method: str, request: object) -> object:
        requests.append(request)
        return answers[method]

    monkeypatch.setattr(credits_command, "_ask", ask)
    return requests


def printed(*arguments: str) -> str:
    """What a command prints."""
    result = CliRunner().invoke(program, ["credits", *arguments])
    assert ExitCode.OK == result.exit_code, result.output
    return result.stdout


LINE = "1.50 EUR can be spent, 0.035 is held, -0.000001 was spent\n"


def test_a_balance_is_a_line(asked) -> None:
    """Or JSON."""
    assert LINE == printed("balance", "--account", "A")
    assert '{"balance":{"amount_micros":"1500000"' in printed("balance", "--json")
    assert pb.GetBalanceRequest(account_id="A") == asked[0]


def test_a_purchase_has_a_request_id_of_its_own(asked) -> None:
    """Unless it is given one, to be repeated with."""
    assert f"purchase P is paid ref\n{LINE}" == printed("purchase", "25", "--token", "t", "--account", "A")
    printed("purchase", "25", "--token", "t", "--request-id", "r", "--json")
    assert 32 == len(asked[0].request_id)
    expected = pb.PurchaseCreditsRequest(request_id="r", amount_micros=25_000_000, payment_token="t")
    assert expected == asked[1]


def test_a_transfer_shows_both_sides(asked) -> None:
    """From the key's own account, unless it is said otherwise."""
    shown = printed("transfer", "0.5", "--from", "A", "--to", "B", "--request-id", "r")
    assert f"from: {LINE}to:   {LINE}" == shown
    expected = pb.TransferCreditsRequest(
        request_id="r", from_account_id="A", to_account_id="B", amount_micros=500_000
    )
    assert expected == asked[0]
    printed("transfer", "1", "--to", "B", "--json")


def test_prices_are_listed_and_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In each form, from a file that `--toml` wrote."""
    table = price_service_pb2.PriceTable(version=3, currency="EUR", key_id="K")
    given: list[object] = []

    async def look_up(_target: object, _version: int) -> object:
        return table, [FULL, price_service_pb2.PriceRule(price={"amount_micros": 1})]

    async def replace(_target: object, rules: object, expect: object, *, validate_only: bool) -> object:
        given.append((rules, expect, validate_only))
        return table

    monkeypatch.setattr(prices_command, "_look_up", look_up)
    monkeypatch.setattr(prices_command, "_replace", replace)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(program, ["prices", *arguments])
        assert ExitCode.OK == result.exit_code, result.output
        return result.stdout

    shown = run()
    assert all(word in shown for word in ("acme", "0.035001 EUR", "+447, GB", "anywhere", "version 3"))
    assert '{"table":{"version":"3"' in run("--json")
    path = tmp_path / "prices.toml"
    path.write_text(run("--toml"), encoding="utf-8")
    assert "version 3 is in force: 2 prices\n" == run("replace", str(path), "--expect", "2")
    assert "2 prices could replace version 3\n" == run("replace", str(path), "--validate-only")
    assert '"version":"3"' in run("replace", str(path), "--json")
    rules = read_prices_file(path)
    assert [(rules, 2, False), (rules, None, True), (rules, None, False)] == given
