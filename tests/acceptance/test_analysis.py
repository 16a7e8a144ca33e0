"""What a text costs, asked of a real broker with routes and prices: every question, as Explain answers it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from broker.cli.exit_codes import ExitCode
from waypost.v1 import (
    broker_service_pb2_grpc,
    content_pb2,
    explain_pb2,
    message_service_pb2,
    message_service_pb2_grpc,
    recipient_pb2,
    send_pb2,
    status_pb2,
)

BRITISH, FRENCH, GERMAN = "+447400123456", "+33612345678", "+4915112345678"
ROUTES = """
[[routes]]
name = "uk"
provider = "good"
countries = ["GB"]

[[routes]]
name = "any"
provider = "cheap"
"""
PRICES = """
[[prices]]
amount = "0.02"

[[prices]]
amount = "0.03"
provider = "good"
prefixes = ["44"]

[[prices]]
amount = "0.011"
prefixes = ["336"]
"""


class Asked:
    """A broker with these routes and prices, and how it is asked."""

    def __init__(self, broker: Any) -> None:
        self.broker = broker
        self._channel = grpc.insecure_channel(broker.address)
        self._metadata = [("authorization", f"Bearer {broker.key}")]
        for command, table in (("routes", ROUTES), ("prices", PRICES)):
            path = broker.data_dir / f"{command}.toml"
            path.write_text(table)
            assert ExitCode.OK == self.waypost(command, "replace", str(path)).returncode

    def close(self) -> None:
        """Let go of the connection."""
        self._channel.close()

    def waypost(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command of its operator."""
        return subprocess.run(
            [sys.executable, "-m", "broker", *arguments],
            env={**self.broker.environment, "COLUMNS": "160"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def analysis(self, text: str, recipient: str = "") -> message_service_pb2.AnalyzeMessageResponse:
        """The full report."""
        stub = message_service_pb2_grpc.MessageServiceStub(self._channel)
        request = message_service_pb2.AnalyzeMessageRequest(text=text, recipient=recipient)
        return stub.AnalyzeMessage(request, metadata=self._metadata, timeout=10, wait_for_ready=True)

    def explanation(self, text: str, recipient: str) -> explain_pb2.Explanation:
        """What Explain says of a request that sends it."""
        stub = broker_service_pb2_grpc.BrokerServiceStub(self._channel)
        request = send_pb2.SendRequest(
            recipients=[recipient_pb2.Recipient(phone_number=recipient)],
            content=content_pb2.Content(sms=content_pb2.SmsContent(text=text)),
        )
        asked = explain_pb2.ExplainRequest(request=request)
        return stub.Explain(asked, metadata=self._metadata, timeout=10, wait_for_ready=True).results[0]


@pytest.fixture
def asked(broker_factory: Any) -> Iterator[Asked]:
    """With two instances."""
    instances = {name: {"type": "sandbox"} for name in ("cheap", "good")}
    asking = Asked(broker_factory({"providers": instances}))
    yield asking
    asking.close()


def test_a_text_costs_what_its_route_and_destination_say(asked: Asked) -> None:
    """As many units as it has: the very price that Explain, and so Send, has."""
    for recipient, unit_micros, provider in (
        (BRITISH, 30_000, "good"),
        (FRENCH, 11_000, "cheap"),
        (GERMAN, 20_000, "cheap"),
    ):
        for text, units in (("Hello", 1), ("x" * 161, 2), ("✓" * 71, 2)):
            report = asked.analysis(text, recipient)
            cost = units * unit_micros
            assert (units, cost, cost, provider) == (
                report.units,
                report.credit_cost,
                report.price.amount_micros,
                report.provider,
            )
            explained = asked.explanation(text, recipient)
            assert (explained.price, explained.units, explained.encoding) == (
                report.price,
                report.units,
                report.encoding,
            )
            assert list(explained.parts) == list(report.parts)
    long = asked.analysis("a" * 1_531, BRITISH)
    assert (False, 11, 330_000) == (long.within_maximum, long.units, long.credit_cost)
    nobody = asked.analysis("Hello", "12")
    assert (status_pb2.REASON_INVALID_RECIPIENT, 0, "") == (
        nobody.reason,
        nobody.credit_cost,
        nobody.provider,
    )
    assert nobody.detail
    unknown = asked.analysis("Hello")
    assert (1, 0, "", 0) == (unknown.units, unknown.credit_cost, unknown.provider, unknown.reason)


def test_the_report_for_people_has_every_answer(asked: Asked) -> None:
    """And --only prints one of them and nothing else, for a shell."""
    text = "😀" + "x" * 70
    only = asked.waypost("analyze", text, "--to", BRITISH, "--only", "credit-cost")
    assert (ExitCode.OK, "0.06\n", "") == (only.returncode, only.stdout, only.stderr)
    report = asked.waypost("analyze", text, "--to", BRITISH).stdout
    facts = dict(re.findall(r"^([a-z ]+?)  +(.+?) *$", report, re.MULTILINE))
    assert (
        facts.items()
        >= {
            "encoding": "UCS2",
            "characters": "71",
            "length": "72 UTF-16 code units",
            "units": "2",
            "maximum": "10 units, 670 UTF-16 code units",
            "within maximum": "yes",
            "credit cost": "0.06 USD",
            "provider": "good",
        }.items()
    )
