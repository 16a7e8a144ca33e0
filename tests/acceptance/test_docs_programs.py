"""The programs of the pages of docs/ run, and print what the pages say."""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from broker.domain.lifecycle import Fact
from broker.domain.signature import secret_of, signed_headers
from tests.acceptance.pages import (
    API,
    CONTENT,
    DIRECTORY,
    DOCS,
    HISTORY,
    ROOT,
    SENDERS,
    TEMPLATES,
    WEBHOOKS,
    blocks,
)


def output_of(program: str, directory: Path, environment: dict[str, str]) -> list[str]:
    """The lines that a program prints; it must succeed."""
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == finished.returncode, finished.stderr
    return finished.stdout.splitlines()


def test_the_program_of_the_api_page_runs(broker: Any, tmp_path: Path) -> None:
    """From the first Send to the last error, as a reader would run it."""
    lines = output_of("\n".join(blocks(API)), tmp_path, broker.environment)
    accepted, refused, explained, many, *events, timeline, page, analysis, error = lines
    message_id = accepted.split()[1]
    assert f"0 {message_id} MESSAGE_STATUS_ACCEPTED +447700900123 " == accepted
    assert refused.startswith("1 ")
    assert "MESSAGE_STATUS_REJECTED not a number" in refused
    assert "1 sandbox ROUTE_VERDICT_CHOSEN by the order of the settings" == explained
    assert "accepted 300" == many
    assert "MESSAGE_STATUS_DELIVERED +447700900123" in events[-1]
    expected = [Fact.ACCEPTED, Fact.ATTEMPTED, Fact.HANDED_OVER, Fact.DELIVERED]
    assert str([f"MESSAGE_FACT_{fact.name}" for fact in expected]) == timeline
    assert "50 True" == page
    assert "1 ['✓', '你', '好']" == analysis
    assert "INVALID_ARGUMENT INVALID_REQUEST" == error


def test_the_program_of_the_directory_page_runs(broker_factory: Any, tmp_path: Path) -> None:
    """From the first contact to the last list, in a directory of its own."""
    lines = output_of("\n".join(blocks(DIRECTORY)), tmp_path, broker_factory().environment)
    expected = [
        "+447700900123 1",
        "Prof '' 2",
        "['mother', 'father']",
        "2 2",
        "['Grace', 'Ada']",
        "['Year 7']",
        "0 CHANNEL_EMAIL grace@example.org ",
        "0 CHANNEL_SMS +447700900125 ",
        "1 CHANNEL_UNSPECIFIED  the directory has no such contact",
        "['Grace', 'Ada'] ''",
    ]
    assert expected == lines


def test_the_program_of_the_accounts_page_runs(broker_factory: Any, tmp_path: Path) -> None:
    """From a partner to a change of its customer."""
    program = "\n".join(blocks((DOCS / "accounts.md").read_text(encoding="utf-8")))
    expected = [
        "Engines Ltd | Grace Hopper",
        "True ['Grace Hopper']",
        "Ships True False",
        "Grace Hopper wpk_",
        "0",
    ]
    assert expected == output_of(program, tmp_path, broker_factory().environment)


def test_the_program_of_the_content_page_runs(broker: Any, tmp_path: Path) -> None:
    """Measuring, personalising, and offering a link."""
    expected = [
        "UCS2 107 107 2 True",
        '“ (0,) " 0',
        '” (6,) " 0',
        '1 "Hello"',
        "Dear Ada, $5 off at Acme",
        "Dear Grace, $5 off at Acme Ely",
        "TOKEN_MISSING recipients[0].tokens lacks a value for $Name$",
        "(LinkAction(text='Open the locker', url='https://example.org/7'),)",
    ]
    assert expected == output_of("\n".join(blocks(CONTENT)), tmp_path, broker.environment)


def test_the_program_of_the_credits_page_runs(broker_factory: Any, tmp_path: Path) -> None:
    """Prices, an account that pays, a refusal, a purchase, a message."""
    program = "\n".join(blocks((DOCS / "credits.md").read_text(encoding="utf-8")))
    expected = [
        "4 USD",
        "FAILED_PRECONDITION 0.035 USD would be needed, and 0.00 can be spent",
        "5000000",
        "35000",
    ]
    assert expected == output_of(program, tmp_path, broker_factory().environment)


def test_the_program_of_the_usage_page_runs(broker: Any, tmp_path: Path) -> None:
    """It counts what it sent."""
    (program,) = blocks((DOCS / "usage.md").read_text(encoding="utf-8"))
    assert ["GB 1", "US 1"] == output_of(program, tmp_path, broker.environment)


def test_the_programs_of_the_senders_page_run(broker_factory: Any, tmp_path: Path) -> None:
    """A toll-free number at home and abroad, a name, and a pool that stays with its recipient."""
    lines = output_of("\n".join(blocks(SENDERS)), tmp_path, broker_factory().environment)
    first, second = lines[-2:]
    expected = [
        "SENDER_KIND_TOLL_FREE US",
        "+12025550150 +18005550199 REASON_UNSPECIFIED ",
        "+447700900123  REASON_SENDER_WRONG_KIND a toll-free number reaches",
        "+447700900123 Acme REASON_UNSPECIFIED ",
    ]
    assert (expected, first) == (lines[:-2], second)
    assert first.startswith("+447700900123 +1202555012")


def test_the_program_of_the_history_page_runs(broker: Any, tmp_path: Path) -> None:
    """What is sent is found, erased and sent again."""
    lines = output_of("\n".join(blocks(HISTORY)), tmp_path, broker.environment)
    expected = [
        "['+447700900123', '+447700900002'] True",
        "MESSAGE_STATUS_DELETED '' ''",
        "True order-2001",
    ]
    assert expected == lines


def test_the_program_of_the_templates_page_runs(broker_factory: Any, tmp_path: Path) -> None:
    """Made, shown, sent, changed and deleted, in an account of its own."""
    expected = [
        "1",
        "de Hallo Ada, die Rechnung: $12.50. 1",
        "Dear Ada, your bill is $9.99. 1 en",
        "Dear Grace, your bill is $120. 1 en",
        "Dear customer, your bill is $9.99. 1 en",
        "2 2",
        "Dear $name$, your bill is $$$amount$.",
        "ABORTED",
        "0",
    ]
    assert expected == output_of("\n".join(blocks(TEMPLATES)), tmp_path, broker_factory().environment)


def test_the_program_of_the_links_page_runs(broker_factory: Any, tmp_path: Path) -> None:
    """A link is shortened, and shows where it leads."""
    program = "\n".join(blocks((DOCS / "links.md").read_text(encoding="utf-8")))
    long_url = "https://example.com/bills/2001?lang=en"
    expected = [
        "True 34",
        f"{long_url}&utm_source=sms&utm_campaign=bills#total",
        f"{long_url}#total 0",
    ]
    assert expected == output_of(program, tmp_path, broker_factory().environment)


def test_the_program_of_the_clients_page_runs(broker: Any, tmp_path: Path) -> None:
    """The first thing that a user of the stubs copies."""
    readme = (ROOT / "clients" / "python" / "README.md").read_text(encoding="utf-8")
    (message_id,) = output_of(blocks(readme)[0], tmp_path, broker.environment)
    assert 13 == len(message_id)


def test_the_programs_of_the_webhooks_page_run(calling_broker: Any, tmp_path: Path) -> None:
    """In Python from the first line to the last; in JavaScript against the same signatures, where there is Node.js."""
    (program,) = blocks(WEBHOOKS)
    facts = {
        "accepted": "ACCEPTED",
        "attempted": "PROCESSING",
        "handed_over": "SENT",
        "delivered": "DELIVERED",
    }
    expected = [f"message.{fact} order-1042 MESSAGE_STATUS_{status}" for fact, status in facts.items()]
    assert expected == output_of(program, tmp_path, calling_broker.environment)
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js here")
    (script,) = re.findall(r"^```javascript\n(.*?)^```$", WEBHOOKS, re.MULTILINE | re.DOTALL)
    secret, body = secret_of(b"k" * 32), '{"type":"message.delivered","ä":"✓"}'
    headers = signed_headers("evt_1", int(time.time()), body.encode(), [secret_of(b"x" * 32), secret])
    calls = [
        [secret, dict(headers), body],
        [secret, dict(headers), body + " "],
        [secret_of(b"o" * 32), dict(headers), body],
    ]
    script += f"""
        for (const [secret, headers, body] of {json.dumps(calls)}) {{
          try {{ console.log(verify(secret, headers, body).type) }} catch (error) {{ console.log(error.message) }}
        }}
    """
    ran = subprocess.run([node, "-e", script], capture_output=True, text=True, timeout=60, check=True)
    refused = "not signed with this secret"
    assert ["message.delivered", refused, refused] == ran.stdout.splitlines()
