"""What recipients want, from the command line: STOP is put on record, refuses messages, and is told upstream.

A broker in a process of its own; the commands run in this one, since there are many of them.
"""

import json
import time
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from broker.cli.exit_codes import ExitCode
from broker.cli.program import program

PHONE = "+447700900123"
OPTED_OUT_UPSTREAM, DOWN_UPSTREAM = "+447700900009", "+447700900010"


def waypost(broker: Any, *arguments: str) -> Result:
    """Run a command as the broker's operator."""
    environment = {"WAYPOST_TARGET": broker.address, "WAYPOST_KEY": broker.key, "COLUMNS": "220"}
    return CliRunner().invoke(program, arguments, env=environment)


def lines(broker: Any, *arguments: str) -> list[dict[str, Any]]:
    """What a command that succeeds prints as JSON."""
    ran = waypost(broker, *arguments, "--json")
    assert (ExitCode.OK, "") == (ran.exit_code, ran.stderr)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def told_upstream(broker: Any, recipient: str) -> dict[str, Any]:
    """What the sandbox answered, once it has."""
    for _ in range(100):
        (found,) = lines(broker, "opt-in", "get", recipient, "--sender", "Shop")
        for each in found["record"].get("upstream", ()):
            if not each.get("pending"):
                return each
        time.sleep(0.1)
    raise AssertionError("the sandbox was never told")


def test_a_stop_from_its_record_to_its_end(broker_factory: Any) -> None:
    """Put on record, in force, told upstream, listed, and taken back."""
    broker = broker_factory()
    said = ("--sender", "Shop", "--evidence", "letter of 3 May", "--organisation", "Acme")
    table = waypost(broker, "opt-in", "set", "Stop.", PHONE, "+44 7700 900124", *said).stdout
    for told in (PHONE, "+447700900124", "OPTED_OUT", "Acme: you will get no more messages.", "2 wishes"):
        assert told in table
    refused = waypost(broker, "send", PHONE, "Hello", "--sender", "Shop", "--json")
    assert ExitCode.REFUSED == refused.exit_code
    assert "REASON_OPTED_OUT" in refused.stdout
    assert {"provider": "sandbox", "accepted": True, "code": "taken"}.items() <= told_upstream(
        broker, PHONE
    ).items()
    card = waypost(broker, "opt-in", "get", PHONE, "--sender", "Shop").stdout
    for shown in ("OPTED_OUT", "letter of 3 May", "Stop.", "CALL", "taken"):
        assert shown in card
    assert [PHONE, "+447700900124"] == [
        each["record"]["recipient"] for each in lines(broker, "opt-in", "list", "--state", "opted-out")
    ]
    (again,) = lines(broker, "opt-in", "set", "opted-in", PHONE, "--sender", "Shop")
    assert "OPT_IN_STATE_OPTED_IN" == again["record"]["state"]
    sent = waypost(broker, "send", PHONE, "Hello", "--sender", "Shop", "--json")
    assert ExitCode.OK == sent.exit_code
    wrong = waypost(broker, "opt-in", "set", "STOP 12345", PHONE)
    assert (ExitCode.REFUSED, True) == (wrong.exit_code, "keyword" in wrong.stderr)


def test_an_upstream_that_knows_better_is_believed(broker_factory: Any) -> None:
    """Asked, or by refusing a message; one that is down is told again and again."""
    broker = broker_factory()
    (found,) = lines(broker, "opt-in", "get", OPTED_OUT_UPSTREAM, "--sender", "Shop", "--ask")
    assert ("OPT_IN_STATE_OPTED_OUT", "OPT_IN_STATE_OPTED_OUT") == (
        found["record"]["state"],
        found["record"]["upstream"][0]["state"],
    )
    first = waypost(broker, "send", OPTED_OUT_UPSTREAM, "Hello", "--sender", "Bank", "--follow")
    assert "opted_out" in first.stdout + first.stderr
    (learnt,) = lines(broker, "opt-in", "get", OPTED_OUT_UPSTREAM, "--sender", "Bank")
    assert "OPT_IN_STATE_OPTED_OUT" == learnt["record"]["state"]
    told = {each.get("told_by") for each in learnt["testimony"]}
    assert {"sandbox"} == told
    waypost(broker, "opt-in", "set", "opted-out", DOWN_UPSTREAM, "--sender", "Shop")
    (waiting,) = lines(broker, "opt-in", "get", DOWN_UPSTREAM, "--sender", "Shop")
    assert all(each["pending"] for each in waiting["record"].get("upstream", ()))
