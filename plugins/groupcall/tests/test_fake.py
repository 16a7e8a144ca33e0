"""The fake refuses what the document says that Groupcall refuses, so that tests against it mean something."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from waypost_groupcall.fake import FakeGroupcall
from waypost_groupcall.fake.calling import address, parameters
from waypost_groupcall.fake.messenger import CUSTOMER_ID, PASSWORD, USER_NAME
from waypost_groupcall.fake.rules import units
from waypost_groupcall.words import PATHS, Endpoint

TO = [{"MobileNumber": "+12025550123", "SendTo": 0}]
KNOWN = {"UserName": USER_NAME, "CustomerId": CUSTOMER_ID, "Password": PASSWORD}
SMS = {**KNOWN, "SMSMessage": "Hello", "Recipients": TO}


def ask(endpoint, document, fake=None):
    """What the fake answers."""
    return (fake or FakeGroupcall()).handle("POST", PATHS[endpoint], json.dumps(document).encode())


def test_it_answers_as_printed():
    """One object to one message, with every printed field."""
    fake = FakeGroupcall(now=lambda: datetime(2022, 11, 7, 21, 34, 51, tzinfo=UTC))
    reply = ask(Endpoint.SMS, SMS | {"ClientRef": "r"}, fake)
    expected = {
        "MessageSentId": 0,
        "MessageId": fake.taken[0].message_id,
        "statusMsg": "In Queue",
        "transmitDateTime": "2022-11-07T21:34:51Z",
        "ClientRef": "r",
        "WarningMessages": [],
    }
    assert (200, expected) == (reply.status, reply.document)


@pytest.mark.parametrize("field", ["SMSMessage", "Recipients"])
def test_a_required_field_of_an_sms_is_required(field):
    """The document marks them."""
    reply = ask(Endpoint.SMS, {name: each for name, each in SMS.items() if name != field})
    assert (400, f"{field.lower()} is required") == (reply.status, reply.document["Message"])


@pytest.mark.parametrize("changes", [{"UserName": None}, {"Password": "x"}, {"CustomerId": "x"}])
def test_who_is_not_known_sends_nothing(changes):
    """It is said with a 200 and without an id."""
    reply = ask(Endpoint.SMS, SMS | changes)
    assert 200 == reply.status
    assert (None, "Data is not valid, no messages sent") == (
        reply.document["MessageId"],
        reply.document["errorMsg"],
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"SMSSender": "ab"}, "SMSSender is"),
        ({"SMSSender": "has space"}, "SMSSender is"),
        ({"Recipients": [{"MobileNumber": "+447700900123"}]}, "SMSSender is required"),
        ({"Recipients": [{"MobileNumber": "07700900123"}]}, "MobileNumber has"),
        ({"Recipients": [{"MobileNumber": "+12025550123", "SendTo": 3}]}, "SendTo is"),
        ({"Recipients": [{}]}, "a recipient has an address"),
        ({"Recipients": TO * 101}, "recipients are"),
        ({"SMSMessage": "a" * 1_531}, "at most 10 units"),
    ],
)
def test_what_the_document_rules_out_is_refused(changes, why):
    """Senders, numbers, sizes."""
    reply = ask(Endpoint.SMS, SMS | changes)
    assert 400 == reply.status
    assert reply.document["Message"].startswith(why)


def test_an_email_needs_its_style_class_and_multi_content_its_email_body():
    """Both are marked as required."""
    email = {**KNOWN, "emailBody": "Hello", "recipients": [{"EmailAddress": "ada@example.org"}]}
    assert 400 == ask(Endpoint.EMAIL, email).status
    assert 200 == ask(Endpoint.EMAIL, {**email, "styleClass": "Plain"}).status
    multi = {**KNOWN, "sendXpression": True, "recipients": [{"IdaasId": "PL-1"}]}
    assert 400 == ask(Endpoint.MULTI, {"messageData": [multi]}).status
    assert 200 == ask(Endpoint.MULTI, {"messageData": [{**multi, "emailBody": ""}]}).status


@pytest.mark.covers(
    "units.length", "units.max", "encoding.gsm", "encoding.extension", "encoding.unicode", "encoding.emoji"
)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 459, 3),
        ("a" * 612, 4),
        ("Öè" * 80, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 201, 3),
        ("я" * 268, 4),
        ("☺" * 70, 1),
        ("👍" * 35, 1),
        ("👍" * 36, 2),
    ],
)
def test_it_counts_units_as_the_document_does(text, expected):
    """Up to 160, 153 each, or 70 and 67; some characters count twice."""
    assert expected == units(text)


@pytest.mark.covers("callback.all", "callback.placeholders")
def test_it_calls_back_with_all_parameters_or_with_those_that_are_named():
    """Its caller's own are kept."""
    fake = FakeGroupcall()
    ask(Endpoint.SMS, SMS | {"ClientRef": "r"}, fake)
    said = parameters(fake.taken[0], "Delivered", "")
    every = dict(parse_qsl(urlsplit(address("https://a.example/cb", said)).query, keep_blank_values=True))
    assert said == every
    url = "https://a.example/cb?id=7&s={status}&to={recipient}"
    assert "https://a.example/cb?id=7&s=Delivered&to=%2B12025550123" == address(url, said)


def test_it_serves_only_what_the_document_has():
    """404 and 405, and 400 for what is no JSON object."""
    fake = FakeGroupcall()
    assert [404, 405, 400, 400] == [
        fake.handle("POST", "/api/else", b"{}").status,
        fake.handle("GET", PATHS[Endpoint.SMS], b"").status,
        fake.handle("POST", PATHS[Endpoint.SMS], b"{").status,
        fake.handle("POST", PATHS[Endpoint.SMS], b"[]").status,
    ]


def test_it_runs_by_itself_and_says_how_to_use_it():
    """As a module, on a port of its own, until it is stopped."""
    command = [sys.executable, "-m", "waypost_groupcall.fake"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        first = running.stdout.readline()
        assert "listens on http://127.0.0.1:" in first
        running.terminate()
        told = running.stdout.read()
    assert 'type = "groupcall"' in told
    assert 0 == running.returncode
