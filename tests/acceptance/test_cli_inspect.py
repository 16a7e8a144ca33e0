"""Looking into a broker from the command line: messages, analyze, providers, doctor, serve --ephemeral."""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from broker.cli.exit_codes import ExitCode
from broker.cli.program import program

WAYPOST = [sys.executable, "-m", "broker"]
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
DELIVERED_ON_THE_SECOND_ATTEMPT = "+447700900003"


def waypost(broker: Any, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a command as the broker's operator."""
    return subprocess.run(
        [*WAYPOST, *arguments],
        env={**broker.environment, "COLUMNS": "180"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        **options,
    )


def lines_of(printed: str) -> list[dict[str, Any]]:
    """Each line as JSON."""
    return [json.loads(line) for line in printed.splitlines()]


def sent_to(broker: Any, *recipients: str) -> list[str]:
    """Messages that have reached their ends, by id."""
    to = [word for each in recipients for word in ("--to", each)]
    sent = waypost(broker, "send", *to, "Hello", "--json", "--follow", "--timeout", "60s")
    return [line["result"]["message_id"] for line in lines_of(sent.stdout) if "result" in line]


def test_messages_are_listed_newest_first(broker_factory) -> None:
    """A table for people; as many as were asked for, and a word when there are more."""
    broker = broker_factory(delivery={"paused": True})
    rows = "\n".join(f"+44770090{1000 + number}" for number in range(5))
    path = broker.data_dir / "five.csv"
    path.write_text(f"phone_number\n{rows}\n")
    sent = waypost(broker, "send", "--csv", str(path), "--text", "Hello", "--json")
    ids = [line["result"]["message_id"] for line in lines_of(sent.stdout)]
    listed = waypost(broker, "messages")
    assert (ExitCode.OK, "") == (listed.returncode, listed.stderr)
    assert ids[::-1] == re.findall(r"\b[0-9A-Z]{13}\b", listed.stdout)
    assert "5 messages" == listed.stdout.splitlines()[-1]
    fewer = waypost(broker, "messages", "list", "--limit", "3")
    assert ids[:1:-1] == re.findall(r"\b[0-9A-Z]{13}\b", fewer.stdout)
    assert "3 messages; older ones match too: raise --limit" == fewer.stdout.splitlines()[-1]
    as_json = waypost(broker, "messages", "--json", "--limit", "4")
    assert ids[:0:-1] == [line["message_id"] for line in lines_of(as_json.stdout)]


def test_messages_are_picked_by_status_and_time(broker_factory) -> None:
    """Several statuses are either; a span is counted back from now."""
    broker = broker_factory()
    delivered, rejected = sent_to(broker, "+447700900123", "+447700900001")

    def listed(*options: str) -> list[str]:
        found = waypost(broker, "messages", *options, "--json")
        assert ExitCode.OK == found.returncode, found.stderr
        return [line["message_id"] for line in lines_of(found.stdout)]

    assert [delivered] == listed("--status", "delivered")
    assert [rejected] == listed("--status", "REJECTED")
    assert [rejected, delivered] == listed("--status", "rejected", "--status", "delivered")
    assert [rejected, delivered] == listed("--since", "1h")
    assert [] == listed("--until", "1h")
    assert [] == listed("--since", later())


@pytest.mark.parametrize("show", [["show"], []])
def test_a_message_is_shown_with_its_story(broker, show) -> None:
    """Every attempt and what came of it, in order."""
    (message_id,) = sent_to(broker, DELIVERED_ON_THE_SECOND_ATTEMPT)
    shown = waypost(broker, "messages", *show, message_id)
    assert (ExitCode.OK, "") == (shown.returncode, shown.stderr)
    assert ["message", message_id] == shown.stdout.splitlines()[0].split()
    happened = re.findall(
        r"  (accepted|being handed over|not taken, tried again|taken by the provider|delivered)  ?",
        shown.stdout.partition("what happened")[2],
    )
    attempt = "being handed over"
    steps = ["accepted", attempt, "not taken, tried again", attempt, "taken by the provider", "delivered"]
    assert steps == happened
    (as_json,) = lines_of(waypost(broker, "messages", *show, message_id, "--json").stdout)
    assert (message_id, 6) == (as_json["message"]["message_id"], len(as_json["timeline"]))


def test_a_message_that_is_not_there_is_said_to_be(broker) -> None:
    """By the stable reason."""
    shown = waypost(broker, "messages", "show", "nonsense")
    assert (ExitCode.REFUSED, "") == (shown.returncode, shown.stdout)
    assert "MESSAGE_NOT_FOUND" in shown.stderr


def test_a_message_that_waits_can_be_cancelled(broker) -> None:
    """One that was sent cannot."""
    waiting = waypost(broker, "send", "+447700900123", "Hi", "--schedule", later(), "--json")
    message_id = lines_of(waiting.stdout)[0]["result"]["message_id"]
    cancelled = waypost(broker, "messages", "cancel", message_id)
    assert (ExitCode.OK, f"{message_id} to +447700900123 is cancelled\n") == (
        cancelled.returncode,
        cancelled.stdout,
    )
    (sent,) = sent_to(broker, "+447700900123")
    late = waypost(broker, "messages", "cancel", sent)
    assert (ExitCode.REFUSED, True) == (late.returncode, "MESSAGE_NOT_CANCELLABLE" in late.stderr)


def later() -> str:
    """A time that the broker takes."""
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


@pytest.mark.parametrize(
    "arguments",
    [["--since", "2026"], ["--since", "1h", "--until", "2h"], ["--status", "lost"], ["--limit", "0"]],
)
def test_what_cannot_be_searched_for_is_a_usage_error(broker, arguments) -> None:
    """Before anybody is asked."""
    assert ExitCode.USAGE == waypost(broker, "messages", *arguments).returncode


def test_a_text_is_measured(broker) -> None:
    """With its parts, and the characters that make it dearer by name."""
    measured = waypost(broker, "analyze", "Meet at 8 ✓")
    assert (ExitCode.OK, "") == (measured.returncode, measured.stderr)
    facts = dict(
        re.findall(r"^(encoding|length|units|within maximum) +(.+?) *$", measured.stdout, re.MULTILINE)
    )
    expected = {"encoding": "UCS2", "length": "11 UTF-16 code units", "units": "1", "within maximum": "yes"}
    assert expected == facts
    assert "check mark" in measured.stdout


def test_a_text_from_stdin_is_measured_without_the_shells_line_break(broker) -> None:
    """And as JSON, with whether it fits also where it does not."""
    short = waypost(broker, "analyze", "-", "--json", input="Hello\n")
    (analysis,) = lines_of(short.stdout)
    assert (5, True) == (analysis["length"], analysis["within_maximum"])
    (long,) = lines_of(waypost(broker, "analyze", "-", "--json", input="✓" * 700).stdout)
    assert (11, False) == (long["units"], long["within_maximum"])
    too_long = waypost(broker, "analyze", "-", input="x" * 10_001)
    assert (ExitCode.REFUSED, True) == (too_long.returncode, "text" in too_long.stderr)


def test_providers_are_listed(broker) -> None:
    """Instances, and with --types what is installed."""
    listed = waypost(broker, "providers")
    assert (ExitCode.OK, "") == (listed.returncode, listed.stderr)
    assert listed.stdout.splitlines()[-1].startswith("sandbox   sandbox   enabled   sms, mms, email")
    (instance,) = lines_of(waypost(broker, "providers", "--json").stdout)
    assert ("sandbox", "PROVIDER_STATE_ENABLED") == (instance["name"], instance["state"])
    types = lines_of(waypost(broker, "providers", "--types", "--json").stdout)
    assert ("waypost-sandbox", "0.1.0") in [(each["distribution"], each["version"]) for each in types]
    assert "waypost-sandbox" in waypost(broker, "providers", "--types").stdout


def test_the_upstreams_account_of_an_instance_is_shown(broker_factory) -> None:
    """What it has and what it counted, as a table and as one line; a wrong name or day is refused by the broker."""
    broker = broker_factory()
    sent_to(broker, "+447700900123")
    shown = waypost(broker, "providers", "usage", "sandbox")
    assert (ExitCode.OK, "") == (shown.returncode, shown.stderr)
    assert ["balance", "1,000.00", "XTS"] == shown.stdout.splitlines()[0].split()
    today = datetime.now(UTC).date()
    day, name, count = shown.stdout.splitlines()[-1].split()
    assert (True, "taken", "1") == (day in {str(today), str(today - timedelta(days=1))}, name, count)
    (answer,) = lines_of(waypost(broker, "providers", "usage", "sandbox", "--from", day, "--json").stdout)
    expected = {
        "balance": {"amount_micros": "1000000000", "currency": "XTS"},
        "counts": [{"name": "taken", "count": "1", "day": day}],
        "tells_usage": True,
    }
    assert expected == answer
    for wrong, told in ((("nobody",), "PROVIDER_NOT_FOUND"), (("sandbox", "--from", "today"), "start_date")):
        refused = waypost(broker, "providers", "usage", *wrong)
        assert (ExitCode.REFUSED, True) == (refused.returncode, told in refused.stderr)


def test_webhooks_are_made_listed_rotated_and_deleted(calling_broker) -> None:
    """A secret is shown when it is made, and never in the list."""
    broker = calling_broker
    assert "no webhook" in waypost(broker, "webhooks", "list").stdout
    made = waypost(broker, "webhooks", "create", "http://127.0.0.1:9/x", "--fact", "delivered", "--json")
    (created,) = lines_of(made.stdout)
    webhook_id = created["webhook"]["webhook_id"]
    (rotated,) = lines_of(
        waypost(broker, "webhooks", "rotate", webhook_id, "--overlap", "1h", "--json").stdout
    )
    (messages,) = lines_of(waypost(broker, "webhooks", "rotate", "--json").stdout)
    secrets = {created["secret"], rotated["secret"], messages["secret"]}
    assert (3, True) == (len(secrets), all(each.startswith("whsec_") for each in secrets))
    listed = waypost(broker, "webhooks", "list")
    assert [webhook_id, "http://127.0.0.1:9/x", "enabled", "delivered", "0"] == listed.stdout.split()[-5:]
    assert [created["webhook"]] == lines_of(waypost(broker, "webhooks", "list", "--json").stdout)
    assert f"{webhook_id} is deleted\n" == waypost(broker, "webhooks", "delete", webhook_id).stdout
    again = waypost(broker, "webhooks", "delete", webhook_id)
    assert (ExitCode.REFUSED, True) == (again.returncode, "WEBHOOK_NOT_FOUND" in again.stderr)
    wrong = waypost(broker, "webhooks", "create", "http://127.0.0.1:9/x", "--fact", "nonsense")
    assert (ExitCode.USAGE, True) == (wrong.returncode, "delivered" in wrong.stderr)


def test_senders_are_added_listed_used_and_removed(broker) -> None:
    """By their kinds and what they can do; the pool's sender stands in what was sent."""
    reference = uuid.uuid4().hex
    code = ["12345", "--country", "us", "--can", "sms", "--can", "mms", "--can", "two_way", "--tag", "Cli"]
    (added,) = lines_of(waypost(broker, "senders", "add", *code, "--pool", reference, "--json").stdout)
    sender_id = added["sender"]["sender_id"]
    assert ("SENDER_KIND_SHORT_CODE", "US") == (added["sender"]["kind"], added["sender"]["country"])
    plain = waypost(broker, "senders", "add", "+18885550199", "--tag", "cli")
    assert plain.stdout.endswith(" is +18885550199, toll free\n")
    listed = waypost(broker, "senders", "list", "--tag", "cli")
    assert [*("12345", "short", "code", "US", "sms,", "mms,", "two", "way"), reference, "cli"] == next(
        line.split()[1:] for line in listed.stdout.splitlines() if sender_id in line
    )
    only = lines_of(waypost(broker, "senders", "list", "--tag", "cli", "--can", "mms", "--json").stdout)
    assert [added["sender"]] == only
    sent = waypost(broker, "send", "+12025550150", "Hi", "--sender-pool", reference, "--json")
    assert ["12345"] == [each["result"]["sender"] for each in lines_of(sent.stdout)]
    abroad = waypost(broker, "explain", "+447700900123", "Hi", "--sender-pool", reference)
    assert (ExitCode.REFUSED, True) == (abroad.returncode, "SENDER_POOL_UNUSABLE" in abroad.stdout)
    assert f"{sender_id} is removed\n" == waypost(broker, "senders", "remove", sender_id).stdout
    again = waypost(broker, "senders", "remove", sender_id)
    assert (ExitCode.REFUSED, True) == (again.returncode, "SENDER_NOT_FOUND" in again.stderr)
    wrong = waypost(broker, "senders", "add", "12345")
    assert (ExitCode.REFUSED, True) == (wrong.returncode, "sender.country" in wrong.stderr)
    assert "no sender" in waypost(broker, "senders", "list", "--pool", reference).stdout


@pytest.mark.parametrize(
    "command", [["messages"], ["analyze", "Hello"], ["providers"], ["webhooks", "list"], ["senders", "list"]]
)
def test_a_key_that_opens_nothing_is_unreachable(broker, command) -> None:
    """As with every command."""
    assert ExitCode.UNREACHABLE == waypost(broker, *command, "--key", "wp_no_such_key").returncode


def test_the_doctor_notes_a_running_broker(broker) -> None:
    """And does not take its port for a fault; the broker is none the worse."""
    looked = waypost(
        broker, "doctor", "--data-dir", str(broker.data_dir), "--deep", "--json", cwd=broker.data_dir.parent
    )
    found = {each["check"]: each for each in json.loads(looked.stdout)}
    assert (ExitCode.OK, "") == (looked.returncode, looked.stderr)
    assert f"a broker is running on {broker.data_dir}" == found["broker"]["detail"]
    assert {"ok"} == {found[check]["state"] for check in ("store", "integrity", "data dir", "admin key")}
    assert ExitCode.OK == waypost(broker, "send", "+447700900123", "Hello").returncode


def test_the_doctor_finds_a_port_that_is_taken_by_somebody_else(broker, tmp_path) -> None:
    """Exit code 1, and what to do about it."""
    config = tmp_path / "waypost.toml"
    config.write_text(f'[server]\nlisten = "{broker.address}"\n')
    looked = waypost(broker, "doctor", "--config", str(config), cwd=tmp_path)
    assert ExitCode.REFUSED == looked.returncode
    line, advice = looked.stdout.partition("fail  listen")[2].splitlines()[:2]
    assert (f"{broker.address}: taken", True) == (line.strip(), "set another server.listen" in advice)
    assert looked.stdout.splitlines()[-1].endswith("1 failed")


@pytest.fixture
def ephemeral(tmp_path) -> Iterator["subprocess.Popen[str]"]:
    """An ephemeral broker, whose temporary directory is in the test's."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WAYPOST_")}
    process = subprocess.Popen(
        [*WAYPOST, "serve", "--ephemeral"],
        env={**environment, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait(60)
    process.stdout.close()


def test_an_ephemeral_broker_leaves_nothing_behind(ephemeral, tmp_path) -> None:
    """It says that it is one, and where; and serves like any other until it is told to stop."""
    said, ready = ephemeral.stdout.readline(), ephemeral.stdout.readline()
    (directory,) = tmp_path.iterdir()
    assert f"Ephemeral: {directory} is removed when the broker stops\n" == said
    address = re.fullmatch(rf"Waypost \S+ serves gRPC on (127\.0\.0\.1:\d+), data in {directory}\n", ready)[1]
    command = ["send", "+447700900123", "Hello", "--target", address, "--data-dir", str(directory)]
    sent = subprocess.run([*WAYPOST, *command], capture_output=True, timeout=60, check=False)
    assert ExitCode.OK == sent.returncode
    ephemeral.terminate()
    assert (0, []) == (ephemeral.wait(60), list(tmp_path.iterdir()))


def test_an_ephemeral_broker_keeps_no_data_directory(broker, tmp_path) -> None:
    """The two options contradict each other."""
    refused = waypost(broker, "serve", "--ephemeral", "--data-dir", str(tmp_path))
    assert (ExitCode.USAGE, "") == (refused.returncode, refused.stdout)


def completions(*words: str) -> list[str]:
    """What a shell would offer for the last word."""
    environment = {
        **os.environ,
        "_WAYPOST_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["waypost", *words]),
        "COMP_CWORD": str(len(words)),
    }
    ran = subprocess.run(WAYPOST, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return ran.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["do"], ["doctor"]),
        (["messages", ""], ["list", "show", "cancel", "delete", "mark", "redrive"]),
        (["messages", "list", "--status", "d"], ["delivered", "delivery_failed", "deleted"]),
        (["messages", "--status", "acc"], ["accepted"]),
        (["send", "--traffic", "p"], ["promotional", "passcode"]),
    ],
)
def test_a_shell_completes_commands_and_values(words, expected) -> None:
    """Also where the sub-command is left out."""
    assert expected == completions(*words)


def test_the_codes_of_the_page_are_those_of_the_program() -> None:
    """None is missing, none is made up."""
    listed = re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert {each.name: int(each) for each in ExitCode} == {name: int(code) for code, name in listed}


def test_the_page_has_every_command_and_option() -> None:
    """But those of the connection, which stand apart, and what typer adds."""
    told = set(re.findall(r"--[a-z][a-z-]+", PAGE))
    commands = get_command(program).commands
    below = [each for group in commands.values() for each in getattr(group, "commands", {}).values()]
    options = {
        name for each in [*commands.values(), *below] for option in each.params for name in option.opts
    }
    assert set() == {name for name in options if name.startswith("--")} - told
    assert set(commands) == set(re.findall(r"^\| \[`([\w-]+)`\]\(#\1\)", PAGE, re.MULTILINE))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: " ".join(example.split()[:3]))
def test_the_examples_of_the_page_run(broker, tmp_path, example) -> None:
    """Each as a shell would run it, up to the last line."""
    sent_to(broker, "+447700900123")
    (tmp_path / "waypost").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m broker "$@"\n')
    (tmp_path / "waypost").chmod(0o755)
    ran = subprocess.run(
        ["sh", "-e", "-c", example],
        cwd=tmp_path,
        env={**broker.environment, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    expected = "cursor" in ran.stderr or ran.stderr.startswith(
        "file: "
    )  # what people are told beside the output
    assert (0, "") == (ran.returncode, "" if expected else ran.stderr)
