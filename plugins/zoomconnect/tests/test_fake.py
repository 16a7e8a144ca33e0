"""The fake as developers run it, and what it refuses."""

import asyncio
import json
import subprocess
import sys
import tomllib

import pytest

from broker.spi import Accepted
from broker.testing.upstream import Answer
from waypost_zoomconnect import ZOOMCONNECT
from waypost_zoomconnect.fake import FakeZoomConnect, texts

WHO = {"email": "me@example.org", "token": "t0ken"}
REPORT_S_MAX = 60


@pytest.fixture
def served(upstream):
    """The fake in a process of its own, which posts delivery reports to the upstream of this test; its table."""
    upstream.answer = lambda _request: Answer(200)
    command = [sys.executable, "-m", "waypost_zoomconnect.fake", "--report-url", f"{upstream.url}/report"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(8)]
        yield tomllib.loads("".join(lines[2:]))["providers"]["zoomconnect"]
        process.terminate()


@pytest.mark.covers("report")
async def test_the_fake_serves_what_it_prints(served, running_provider, message, upstream):
    """The printed table works as it stands, and a delivery report is posted as the guide prints it."""
    assert "zoomconnect" == served.pop("type")
    async with running_provider(ZOOMCONNECT, served) as running:
        assert [Accepted(("40124213",))] == await running.submit(message())
    async with asyncio.timeout(REPORT_S_MAX):
        while not upstream.requests:  # noqa: ASYNC110 - another process posts it
            await asyncio.sleep(0.02)
    (report,) = upstream.requests
    expected = ("POST", {"status": "DELIVERED", "messageId": "40124213"}, b"")
    assert expected == (report.method, report.query, report.body)


def said(method, path, document=None, **headers):
    """Status and document of a new fake's answer."""
    fake = FakeZoomConnect(email="me@example.org", token="t0ken")
    body = b"" if document is None else json.dumps(document).encode()
    status, _, answer = fake(method, f"/app/api/rest/v1/{path}", headers or WHO, body)
    return status, json.loads(answer) if answer else None


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"message": "x", "recipientNumber": "12"}, 2),
        ({"message": "x"}, 2),
        ({"message": "", "recipientNumber": "+27821234567"}, 3),
        ({"recipientNumber": "+27821234567"}, 3),
        ({"message": "x", "recipientNumber": "+27821234567", "dateToSend": "soon"}, None),
        ({"message": "x" * 160_001, "recipientNumber": "+27821234567"}, None),
        ([], None),
    ],
)
@pytest.mark.covers("error.2", "error.3")
def test_the_fake_refuses_what_is_no_message(document, code):
    """With ZoomConnect's codes where it has some."""
    status, told = said("POST", "sms/send", document)
    assert (400, code) == (status, told["code"])


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "account/balance", {"email": "me@example.org", "token": "wrong"}, 401),
        ("GET", "account/balance", {"authorization": "Basic !"}, 401),
        ("GET", "account/balance", {"accept": "*/*"}, 401),
        ("POST", "sms/send-url/guess?recipientNumber=%2B27821234567&message=x", {}, 401),
        ("POST", "account/balance", {}, 404),
        ("GET", "account/nothing", {}, 404),
        ("GET", "messages/7", {}, 404),
    ],
)
def test_the_fake_knows_its_account_and_its_endpoints(method, path, headers, status):
    """And tells a stranger nothing."""
    assert (status, None) == said(method, path, **headers)


@pytest.mark.parametrize(
    ("text", "encoding", "length", "parts"),
    [
        ("a" * 160, "GSM7", 160, 1),
        ("a" * 161, "GSM7", 161, 2),
        ("a" * 159 + "€", "GSM7", 161, 2),
        ("я" * 70, "UNICODE", 70, 1),
        ("я" * 71, "UNICODE", 71, 2),
        ("", "GSM7", 0, 1),
    ],
)
def test_the_fake_counts_as_the_guide_says(text, encoding, length, parts):
    """160 characters of GSM7 in a single SMS, 70 of others."""
    assert (encoding, length, parts) == (texts.encoding(text), texts.length(text), texts.parts(text))
