"""A broadcast to a file of 20,000 recipients, from the command line to the last delivery."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from broker.testing.broker_process import BrokerProcess

RECIPIENTS = 20_000
END_S_MAX = 120.0


def waypost(broker: BrokerProcess, *arguments: str) -> list[dict[str, Any]]:
    """What a command says in JSON lines."""
    done = subprocess.run(
        [sys.executable, "-m", "broker", *arguments, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=END_S_MAX,
        env=broker.environment,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_file_of_recipients_becomes_deliveries(tmp_path: Path) -> None:
    """With duplicates and bad lines in it; held once on the way; each of the others gets one message, in its own words."""
    lines = [f"+4915112{at:06d}5,Name {at}" for at in range(RECIPIENTS)]
    file = tmp_path / "people.csv"
    file.write_text("\n".join(["phone,name", *lines, "bad,Nobody", lines[0], lines[1]]), encoding="utf-8")
    with BrokerProcess(tmp_path, {"sandbox": {"type": "sandbox"}}, {}) as broker:
        upload, made = waypost(
            broker, "broadcast", "send", "Hi $name$", "--file", str(file), "--keep-good", "--name", "spring"
        )
        assert (str(RECIPIENTS + 2), "1") == (upload["upload"]["rows"], upload["upload"]["refused_rows"])
        assert [RECIPIENTS + 2] == [int(each["line"]) for each in upload["upload"]["refused"]]
        broadcast_id = made["broadcast"]["broadcast_id"]
        (held,) = waypost(broker, "broadcast", "suspend", broadcast_id)
        assert held["broadcast"]["state"] == "BROADCAST_STATE_SUSPENDED"
        waypost(broker, "broadcast", "resume", broadcast_id)
        *_, last = waypost(broker, "broadcast", "watch", broadcast_id)
        (shown,) = waypost(broker, "broadcast", "show", broadcast_id)
        (listed,) = waypost(broker, "broadcast", "list")
    ended = last["broadcast"]
    assert ended["state"] == "BROADCAST_STATE_COMPLETED"
    counts = {name: int(ended[name]) for name in ("expected", "duplicates", "accepted", "sent", "delivered")}
    expected = dict.fromkeys(("expected", "accepted", "sent", "delivered"), RECIPIENTS)
    assert counts == expected | {"duplicates": 2}
    assert shown["broadcast"] == ended
    assert listed["broadcast"]["broadcast_id"] == broadcast_id
