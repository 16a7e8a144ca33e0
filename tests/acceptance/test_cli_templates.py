"""Templates from the command line: a file becomes a template, is looked at, sent, changed and removed.

A broker in a process of its own; the commands run in this one, since there are many of them.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from broker.cli.exit_codes import ExitCode
from broker.cli.program import program

BILL = """
project = "shop"
name = "bill"
description = "Monthly"
default_locale = "en"
[locales.en.sms]
text = "Dear $name$, your bill is $$$amount$."
[locales.de.sms]
text = "Hallo $name$, die Rechnung: $$$amount$."
[[parameters]]
name = "name"
default_value = "customer"
[[parameters]]
name = "amount"
type = "number"
required = true
"""


def waypost(broker: Any, *arguments: str) -> Result:
    """Run a command as the broker's operator."""
    environment = {"WAYPOST_TARGET": broker.address, "WAYPOST_KEY": broker.key, "COLUMNS": "180"}
    return CliRunner().invoke(program, arguments, env=environment)


def printed(broker: Any, *arguments: str) -> str:
    """What a command that succeeds prints."""
    ran = waypost(broker, *arguments)
    assert (ExitCode.OK, "") == (ran.exit_code, ran.stderr)
    return ran.stdout


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    """A template's file."""
    path = tmp_path / "bill.toml"
    path.write_text(BILL, encoding="utf-8")
    return path


def test_a_template_from_its_first_version_to_its_last(broker_factory, bill: Path) -> None:
    """Created, shown, rendered, sent, changed, listed and deleted."""
    broker = broker_factory()
    assert "shop/bill is stored as version 1\n" == printed(broker, "templates", "create", str(bill))
    card = printed(broker, "templates", "show", "shop/bill")
    for told in ("1 of 1", "Monthly", "$$$amount$", "number", "customer"):
        assert told in card
    rendered = printed(broker, "templates", "render", "shop/bill", "--locale", "de-AT", "--token", "amount=9")
    assert "Hallo customer, die Rechnung: $9." in rendered
    sent = printed(
        broker,
        *("send", "+447700900123", "--template", "shop/bill", "--token", "name=Ada"),
        *("--token", "amount=12.50", "--json"),
    )
    result = json.loads(sent)["result"]
    shown = json.loads(printed(broker, "messages", "show", result["message_id"], "--json"))
    assert "Dear Ada, your bill is $12.50." == shown["message"]["content"]["sms"]["text"]
    assert {"project": "shop", "name": "bill", "version": 1, "locale": "en"} == shown["message"]["template"]
    bill.write_text(BILL.replace("Dear", "Hello"), encoding="utf-8")
    assert "shop/bill is stored as version 2\n" == printed(
        broker, "templates", "update", str(bill), "--expect", "1"
    )
    assert "Dear" in printed(broker, "templates", "show", "shop/bill", "--version", "1")
    assert "shop/bill" in printed(broker, "templates")
    assert "shop/bill is deleted\n" == printed(broker, "templates", "delete", "shop/bill")
    assert "0 templates" in printed(broker, "templates", "list", "--project", "shop")


def test_what_show_prints_can_be_stored_again(broker_factory, bill: Path, tmp_path: Path) -> None:
    """As a file of another broker."""
    broker, other = broker_factory(), broker_factory()
    printed(broker, "templates", "create", str(bill))
    copy = tmp_path / "copy.json"
    copy.write_text(printed(broker, "templates", "show", "shop/bill", "--json"), encoding="utf-8")
    printed(other, "templates", "create", str(copy))
    texts = [
        json.loads(printed(each, "templates", "show", "shop/bill", "--json"))["template"]["locales"]
        for each in (broker, other)
    ]
    assert texts[0] == texts[1]


def test_a_template_changed_by_another_is_refused(broker_factory, bill: Path) -> None:
    """With 1, and nothing is stored."""
    broker = broker_factory()
    printed(broker, "templates", "create", str(bill))
    ran = waypost(broker, "templates", "update", str(bill), "--expect", "7")
    assert ExitCode.REFUSED == ran.exit_code
    assert "1 of 1" in printed(broker, "templates", "show", "shop/bill")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("name = ", "bill.toml"),
        ('name = "bill"\ncolour = "red"', "colour"),
        ("parameters = 3", "[[parameters]]"),
    ],
)
def test_a_file_that_is_no_template_is_not_sent(broker, bill: Path, written: str, told: str) -> None:
    """It is named with what is wrong, and the exit code says that nothing was done."""
    bill.write_text(written, encoding="utf-8")
    ran = waypost(broker, "templates", "create", str(bill))
    assert ExitCode.USAGE == ran.exit_code
    assert told in ran.stderr
