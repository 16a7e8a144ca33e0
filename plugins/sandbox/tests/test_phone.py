"""What a phone says, by each of the ways to tell it."""

import json

import pytest

from broker.spi import CallbackRequest, Inbound
from waypost_sandbox.phone import said

TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


def request(method="POST", path="say", query=(), body=b"", kind="form"):
    """A call of the callback address."""
    return CallbackRequest(method, path, query, {"content-type": TYPES[kind]}, body)


@pytest.mark.parametrize(
    "asked",
    [
        request(body=b"from=%2B447700900123&to=12345&text=caf%C3%A9&id=7"),
        request(
            body=json.dumps({"from": "+447700900123", "to": "12345", "text": "café", "id": 7}).encode(),
            kind="json",
        ),
        request("GET", query=[("from", "+447700900123"), ("to", "12345"), ("text", "café"), ("id", "7")]),
    ],
    ids=["form", "json", "query"],
)
def test_it_is_an_inbound_message(asked):
    """Under the id that was given, which is also the answer."""
    answer = said(asked)
    expected = Inbound("+447700900123", "12345", "café", provider_message_id="7")
    assert ([expected], b"7", 200) == ([*answer.facts], answer.body, answer.status)


def test_without_an_id_each_is_another():
    """Who says a thing twice means it twice."""
    ids = {said(request(body=b"from=a&to=b&text=")).facts[0].provider_message_id for _ in range(2)}
    assert 2 == len(ids)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request(path="hear"), 404),
        (request(body=b"from=a&to=b"), 400),
        (request(body=b"[1]", kind="json"), 400),
        (request(body=b"{", kind="json"), 400),
    ],
    ids=["another path", "no text", "no object", "no JSON"],
)
def test_what_is_no_message_is_refused(asked, status):
    """And nothing is made of it."""
    answer = said(asked)
    assert ((), status) == (answer.facts, answer.status)
