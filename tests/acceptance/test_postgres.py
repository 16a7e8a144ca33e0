"""A broker on PostgreSQL: the same promises, and the server's password nowhere but in the settings."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from broker.cli.exit_codes import ExitCode
from broker.storage.engine import StoreLockedError
from broker.storage.postgres import PostgresEngine, session

WAYPOST = [sys.executable, "-m", "broker"]
SECONDS_MAX = 60


def waypost(broker: Any, *arguments: str) -> list[dict[str, Any]]:
    """What a command says, as an operator runs it."""
    done = subprocess.run(
        [*WAYPOST, *arguments, "--json"],
        env=broker.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert (ExitCode.OK, "") == (done.returncode, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def sent(broker: Any) -> list[dict[str, Any]]:
    """The answers to one and the same request, whenever it is made."""
    to = ["--to", "+447700900000", "--to", "+447700900001"]
    lines = waypost(broker, "send", *to, "Hello", "--request-id", "once")
    return [line["result"] for line in lines if "result" in line]


def ends(broker: Any) -> dict[str, str]:
    """Where each message stands, once all of them have ended."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        listed = waypost(broker, "messages")
        if all(each.get("end_time") for each in listed) or time.monotonic() > deadline:
            return {each["recipient"]: each["status"] for each in listed}


def test_what_was_answered_survives_a_kill(broker_factory, postgres) -> None:
    """Messages, their ends, the log and the answers to requests; nothing is sent twice."""
    broker = broker_factory(store={"url": postgres.url("accepted")})
    first = sent(broker)
    before = ends(broker)
    broker.kill()
    broker.start()
    assert first == sent(broker)
    assert before == ends(broker)
    statuses = {"+447700900000": "DELIVERED", "+447700900001": "REJECTED"}
    assert statuses == {to: status.removeprefix("MESSAGE_STATUS_") for to, status in before.items()}


def test_a_server_that_restarts_interrupts_nobody_for_long(broker_factory, postgres) -> None:
    """Every connection breaks; the broker runs on and makes others."""
    broker = broker_factory(store={"url": postgres.url("restarted")})
    first = sent(broker)
    with postgres.connect() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'waypost'"
        )
    assert first == sent(broker)
    assert broker.running


def test_the_password_is_in_the_settings_alone(postgres, tmp_path) -> None:
    """Not in the ready line, nor in any log; a second broker on the store is refused without it, too."""
    (tmp_path / "url").write_text(postgres.url("whispered") + "\n")
    (tmp_path / "c.toml").write_text(f'[store]\nurl_file = "{tmp_path / "url"}"\n')
    started = serve(tmp_path / "one", "--config", str(tmp_path / "c.toml"))
    line = started.stdout.readline()
    refused = serve(tmp_path / "two", "--store", postgres.url("whispered"))
    told, logged = refused.communicate(timeout=SECONDS_MAX)
    started.terminate()
    rest, log = started.communicate(timeout=SECONDS_MAX)
    assert f"PostgreSQL at 127.0.0.1:{postgres.port}/postgres" == json.loads(line)["store"]
    assert (ExitCode.OK, ExitCode.REFUSED) == (started.returncode, refused.returncode)
    assert "another process has the store open" in logged
    assert postgres.password not in line + rest + log + told + logged


def serve(data_dir: Path, *arguments: str) -> "subprocess.Popen[str]":
    """A broker with these options."""
    return subprocess.Popen(
        [*WAYPOST, "serve", "--json", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_broker_whose_store_was_taken_gives_way(
    broker_factory, postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could only confuse those who talk to it; its supervisor sees that it failed."""
    monkeypatch.setattr(session, "LOCK_S_MAX", 0.0)
    url = postgres.url("taken")
    broker = broker_factory(store={"url": url})
    taker = take(postgres, url)
    code = broker.process.wait(SECONDS_MAX)
    broker.process.stdout.close()
    assert 1 == code
    taker.close()
    assert "broker.store_lost" in broker.log.read_text()


def take(postgres, url: str) -> PostgresEngine:
    """The store, as soon as the broker's session was ended and before it has another."""
    while True:
        with postgres.connect() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()"
            )
        try:
            return PostgresEngine(url)
        except StoreLockedError:
            continue
