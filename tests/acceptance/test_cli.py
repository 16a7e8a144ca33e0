"""The command line against a real broker: what it prints, what it exits with, and that it loses nothing."""

import json
import signal
import stat
import subprocess
import sys
import uuid

import pytest

from broker.cli.exit_codes import ExitCode

WAYPOST = [sys.executable, "-m", "broker"]


def waypost(broker, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as the broker's operator."""
    return subprocess.run(
        [*WAYPOST, *arguments],
        env={**broker.environment, "COLUMNS": "140", **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def send_and_follow(broker, *arguments: str) -> None:
    """Send, and come back once the message has ended."""
    sent = waypost(broker, "send", *arguments, "--follow", "--timeout", "60s")
    assert ExitCode.OK == sent.returncode, sent.stdout + sent.stderr


def lines_of(printed: str) -> list[dict]:
    """Each line as JSON."""
    return [json.loads(line) for line in printed.splitlines()]


@pytest.fixture
def reference() -> str:
    """A reference that no other test uses, since the broker is shared."""
    return uuid.uuid4().hex


def test_serve_says_once_that_it_is_ready(broker) -> None:
    """One JSON line with where it is; the admin key is in it on the first start, and in a private file."""
    assert "ready" == broker.ready["event"]
    assert {"event", "address", "http_address", "data_dir", "store", "version", "pid", "admin_key"} == set(
        broker.ready
    )
    assert broker.process.pid == broker.ready["pid"]
    assert broker.ready["admin_key"] == broker.key
    assert 0o600 == stat.S_IMODE((broker.data_dir / "admin.key").stat().st_mode)


def test_serve_shows_the_admin_key_on_the_first_start_only(broker_factory) -> None:
    """Logs of later starts hold no secret; the key stays the same."""
    broker = broker_factory()
    key = broker.key
    broker.restart()
    assert "admin_key" not in broker.ready
    assert key == broker.key
    assert ExitCode.OK == waypost(broker, "send", "+447700900123", "Hello").returncode


@pytest.mark.parametrize(
    ("arguments", "exit_code", "told"),
    [
        (["--listen", "0.0.0.0:0"], ExitCode.USAGE, "reachable from other hosts"),
        (["--listen", "nowhere"], ExitCode.USAGE, "server.listen"),
        (["--config", "missing.toml"], ExitCode.USAGE, "missing.toml"),
        (["--store", "mysql://user@host/waypost"], ExitCode.USAGE, "store.url"),
        (["--store", "postgresql://u:pass@word@host/waypost"], ExitCode.USAGE, "store.url"),
        (["--store", "postgresql://u@127.0.0.1:1/waypost"], ExitCode.REFUSED, "the store failed"),
        (["--config", "broken.toml"], ExitCode.USAGE, "broken.toml"),
        (["--config", "unknown.toml"], ExitCode.USAGE, "delivery.speed"),
        (["--config", "plugin.toml"], ExitCode.REFUSED, "'pigeon'"),
    ],
)
def test_serve_explains_what_an_operator_can_mend(arguments, exit_code, told, broker, tmp_path) -> None:
    """A message that names the setting, and no traceback."""
    (tmp_path / "broken.toml").write_text("[server")
    (tmp_path / "unknown.toml").write_text("[delivery]\nspeed = 9\n")
    (tmp_path / "plugin.toml").write_text('[providers.birds]\ntype = "pigeon"\n')
    ran = subprocess.run(
        [*WAYPOST, "serve", "--data-dir", "data", "--listen", "127.0.0.1:0", *arguments],
        cwd=tmp_path,
        env=broker.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (exit_code, "") == (ran.returncode, ran.stdout)
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_data_directory_has_one_broker(broker) -> None:
    """A second one refuses to start, and the first is none the worse."""
    second = waypost(broker, "serve", "--data-dir", str(broker.data_dir), "--listen", "127.0.0.1:0")
    assert ExitCode.REFUSED == second.returncode
    assert "Traceback" not in second.stderr
    assert ExitCode.OK == waypost(broker, "send", "+447700900123", "Hello").returncode


def test_send_answers_with_the_message_id(broker) -> None:
    """A table for people: recipient, status, id."""
    sent = waypost(broker, "send", "+44 7700 900123", "Hello")
    assert (ExitCode.OK, "") == (sent.returncode, sent.stderr)
    assert "+447700900123" in sent.stdout
    assert "ACCEPTED" in sent.stdout
    assert "1 accepted, 0 refused" in sent.stdout


def test_send_finds_the_admin_key_of_a_broker_on_this_host(broker, tmp_path) -> None:
    """In the data directory, by option, by environment, or where `waypost serve` keeps it by default."""
    environment = {name: value for name, value in broker.environment.items() if name != "WAYPOST_KEY"}
    command = [*WAYPOST, "send", "--validate-only", "+447700900123", "Hello"]
    (tmp_path / "waypost-data").symlink_to(broker.data_dir)
    found = [
        subprocess.run(
            [*command, *options], cwd=directory, env={**environment, **more}, capture_output=True, check=False
        ).returncode
        for options, more, directory in (
            (["--data-dir", str(broker.data_dir)], {}, "/"),
            ([], {"WAYPOST_DATA_DIR": str(broker.data_dir)}, "/"),
            ([], {}, tmp_path),
            ([], {}, "/"),
        )
    ]
    assert [ExitCode.OK, ExitCode.OK, ExitCode.OK, ExitCode.UNREACHABLE] == found


def test_send_exits_with_refused_when_one_recipient_is(broker) -> None:
    """The others are sent to all the same; the table says why."""
    sent = waypost(broker, "send", "--to", "+447700900123", "--to", "12", "Hello")
    assert ExitCode.REFUSED == sent.returncode
    assert "INVALID_RECIPIENT" in sent.stdout
    assert "1 accepted, 1 refused" in sent.stdout


def test_send_names_the_field_that_broke_a_rule(broker) -> None:
    """The stable reason, and each violation on a line of its own."""
    sent = waypost(broker, "send", "+447700900123", "Hello", "--validity", "8d", "--tag", "x" * 65)
    assert (ExitCode.REFUSED, "") == (sent.returncode, sent.stdout)
    first, *violations = sent.stderr.splitlines()
    assert first.startswith("waypost: INVALID_REQUEST:")
    assert ["validity", "tags[0]"] == [line.strip().partition(":")[0] for line in violations]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--key", "wp_no_such_key"], "KEY_INVALID"),
        (["--target", "127.0.0.1:1"], "no broker answers at 127.0.0.1:1"),
    ],
)
def test_send_tells_a_broker_that_is_not_there_from_one_that_refuses(broker, options, reason) -> None:
    """Both leave the message with the caller, and say so by exit code 3."""
    sent = waypost(broker, "send", "+447700900123", "Hello", *options)
    assert ExitCode.UNREACHABLE == sent.returncode
    assert reason in sent.stderr


def test_send_json_has_a_line_for_each_recipient_in_order(broker, tmp_path) -> None:
    """Also over several requests and frames: rows with texts of their own go by SendStream."""
    rows = [f"+44770090{1000 + number},Hello {number},ref-{number}" for number in range(1_500)]
    path = tmp_path / "many.csv"
    path.write_text("\n".join(["phone_number,text,client_reference", *rows]))
    sent = waypost(broker, "send", "--csv", str(path), "--json", "--validate-only")
    results = [line["result"] for line in lines_of(sent.stdout)]
    assert (ExitCode.OK, "") == (sent.returncode, sent.stderr)
    assert list(range(1_500)) == [result["recipient_index"] for result in results]
    assert [f"ref-{number}" for number in range(1_500)] == [result["client_reference"] for result in results]


def test_send_says_of_each_row_what_its_request_broke(broker, tmp_path) -> None:
    """In a stream one bad request is an answer, and the rest is sent."""
    path = tmp_path / "mixed.csv"
    path.write_text(
        f"phone_number,text\n+447700900123,Hello\n+447700900124,{'x' * 10_001}\n+447700900125,Bye\n"
    )
    sent = waypost(broker, "send", "--csv", str(path), "--json")
    first, second, third = lines_of(sent.stdout)
    assert ExitCode.REFUSED == sent.returncode
    assert "MESSAGE_STATUS_ACCEPTED" == first["result"]["status"] == third["result"]["status"]
    assert (1, "content.sms.text") == (
        second["error"]["recipient_index"],
        second["error"]["field_violations"][0]["field"],
    )


def test_send_follow_shows_every_event_of_its_messages(broker) -> None:
    """From the very first, although it happens before the answer is printed."""
    sent = waypost(broker, "send", "+447700900003", "Hello", "--follow", "--json", "--timeout", "60s")
    result, *events = lines_of(sent.stdout)
    message_id = result["result"]["message_id"]
    messages = [line["event"]["message"] for line in events]
    assert ExitCode.OK == sent.returncode
    assert {message_id} == {message["message_id"] for message in messages}
    facts = [message["fact"].removeprefix("MESSAGE_FACT_") for message in messages]
    steps = ["ACCEPTED", "ATTEMPTED", "DEFERRED", "ATTEMPTED", "HANDED_OVER", "DELIVERED"]
    assert steps == facts


def test_send_follow_exits_with_timeout_when_messages_are_still_on_their_way(broker) -> None:
    """The number is never accepted by the sandbox, and retries go on for long."""
    sent = waypost(broker, "send", "+447700900010", "Hello", "--follow", "--timeout", "500ms")
    assert ExitCode.TIMEOUT == sent.returncode
    assert "time ran out" in sent.stderr


def test_send_follow_ends_for_a_request_that_was_sent_before(broker, reference) -> None:
    """Its events are in the past, so its state is asked for; nothing is sent twice."""
    command = ["send", "+447700900123", "Hello", "--follow", "--json", "--request-id", reference]
    first, second = waypost(broker, *command), waypost(broker, *command)
    assert [ExitCode.OK, ExitCode.OK] == [first.returncode, second.returncode], first.stderr + second.stderr
    assert lines_of(first.stdout)[0] == lines_of(second.stdout)[0]
    assert 1 == len(lines_of(second.stdout))


def test_send_passes_every_wish_on(broker, reference) -> None:
    """What the options say arrives on the events."""
    sent = waypost(
        broker,
        *("send", "+447700900123", "Hello", "--reference", reference, "--campaign", "spring", "--data", "d"),
        *("--tag", "Red", "--tag", "blue", "--sender", "Waypost", "--provider", "sandbox"),
        *("--traffic", "passcode", "--channel", "sms", "--validity", "5m"),
    )
    assert ExitCode.OK == sent.returncode
    tailed = waypost(broker, "tail", "--from-beginning", "--reference", reference, "--json", "--limit", "2")
    message = lines_of(tailed.stdout)[1]["message"]
    assert ("Waypost", {"id": "spring"}, "d", ["red", "blue"], "sandbox", "CHANNEL_SMS") == tuple(
        message[name] for name in ("sender", "campaign", "data", "tags", "provider", "channel")
    )


def test_send_schedules(broker) -> None:
    """A time to come is the broker's to keep."""
    sent = waypost(
        broker, "send", "+447700900123", "Hi", "--json", "--validate-only", "--schedule", "2999-01-01T00:00Z"
    )
    assert ExitCode.REFUSED == sent.returncode
    assert "schedule_time" in sent.stderr


def test_send_writes_to_mailboxes_too(broker) -> None:
    """An "@" makes it an email; phone numbers of the same command get a text message."""
    sent = waypost(
        broker,
        "send",
        "--to",
        "ada@example.org",
        "--to",
        "+447700900123",
        "--subject",
        "Hi",
        "--json",
        "Hello",
    )
    channels = [line["result"]["channel"] for line in lines_of(sent.stdout)]
    assert ["CHANNEL_EMAIL", "CHANNEL_SMS"] == channels


def test_tail_prints_one_aligned_line_an_event(broker, reference) -> None:
    """Time, status, previous status, recipient, provider, what happened."""
    send_and_follow(broker, "+447700900001", "Hello", "--reference", reference)
    tailed = waypost(broker, "tail", "--from-beginning", "--reference", reference, "--limit", "3")
    lines = tailed.stdout.splitlines()
    assert ExitCode.OK == tailed.returncode
    assert ["ACCEPTED", "PROCESSING", "REJECTED"] == [line.split()[2] for line in lines]
    assert 1 == len({line.index("+447700900001") for line in lines})
    assert lines[-1].endswith("sandbox     refused by the provider (rejected)")


def start_tail(broker, *arguments: str) -> "subprocess.Popen[str]":
    """A tail that runs on, with its output to be read line by line."""
    return subprocess.Popen(
        [*WAYPOST, "tail", "--json", *arguments],
        env=broker.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sequences(lines: list[str]) -> list[int]:
    """The events' places in the log."""
    return [int(json.loads(line)["sequence"]) for line in lines]


def interrupted(tail: "subprocess.Popen[str]") -> tuple[list[str], str]:
    """Ctrl-C; the rest of the lines, and the cursor on the last line of stderr."""
    tail.send_signal(signal.SIGINT)
    rest, told = tail.communicate(timeout=60)
    assert ExitCode.OK == tail.returncode
    return rest.splitlines(), told.splitlines()[-1].removeprefix("cursor: ")


def test_tail_ends_quietly_on_ctrl_c_and_can_be_resumed(broker_factory) -> None:
    """What is printed before and after is the whole log, once."""
    broker = broker_factory()
    send_and_follow(broker, "+447700900123", "One")
    tail = start_tail(broker, "--from-beginning")
    first = [tail.stdout.readline() for _ in range(4)]
    more, cursor = interrupted(tail)
    send_and_follow(broker, "+447700900123", "Two")
    resumed = waypost(broker, "tail", "--json", "--after", cursor, "--limit", "4")
    assert list(range(1, 9)) == sequences([*first, *more, *resumed.stdout.splitlines()])


def test_tail_goes_on_after_the_broker_was_killed(broker_factory) -> None:
    """It waits for the broker to come back, and misses nothing."""
    broker = broker_factory()
    tail = start_tail(broker, "--from-beginning")
    send_and_follow(broker, "+447700900123", "One")
    seen = [tail.stdout.readline() for _ in range(4)]
    broker.kill()
    broker.restart()
    send_and_follow(broker, "+447700900123", "Two")
    seen += [tail.stdout.readline() for _ in range(4)]
    interrupted(tail)
    assert list(range(1, 9)) == sequences(seen)


def test_tail_refuses_a_cursor_that_is_none(broker) -> None:
    """With the broker's own reason."""
    tailed = waypost(broker, "tail", "--after", "nonsense")
    assert ExitCode.REFUSED == tailed.returncode
    assert "CURSOR_INVALID" in tailed.stderr


def test_version_is_that_of_the_distribution(broker) -> None:
    """As the broker says of itself."""
    assert f"waypost {broker.ready['version']}\n" == waypost(broker, "--version").stdout


def test_help_needs_neither_grpc_nor_the_broker() -> None:
    """So that it comes at once."""
    script = "import sys; from broker.cli.program import program; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert [] == [name for name in ("grpc", "rich", "broker.app", "pydantic") if f"'{name}'" in loaded]
