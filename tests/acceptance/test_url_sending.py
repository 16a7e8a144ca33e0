"""One SMS for each URL, and what the token of one is good for."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from broker.testing.broker_process import BrokerProcess
from broker.web.url_sending import LIMITS
from waypost.v1 import (
    account_service_pb2,
    account_service_pb2_grpc,
    api_key_pb2,
    message_service_pb2,
    message_service_pb2_grpc,
)

NUMBER = "+447700900123"
SANDBOX = {"sandbox": {"type": "sandbox"}}


@pytest.fixture(scope="module")
def sending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker that sends by URL."""
    server = {"http_listen": "127.0.0.1:0", "url_sending": True}
    with BrokerProcess(tmp_path_factory.mktemp("url"), SANDBOX, {"server": server}) as broker:
        yield broker
        assert "wpu_" not in broker.log
        assert NUMBER[4:] not in broker.log


@pytest.fixture
def token(sending: BrokerProcess) -> str:
    """A URL token that may be used as often as a test does."""
    return made(sending, api_key_pb2.ROLE_URL_SENDING, 1_000)


def made(broker: BrokerProcess, role: Any, calls_per_second: int = 0) -> str:
    """A key's secret."""
    with grpc.insecure_channel(broker.address) as channel:
        request = account_service_pb2.CreateApiKeyRequest(role=role, calls_per_second=calls_per_second)
        answer = account_service_pb2_grpc.AccountServiceStub(channel).CreateApiKey(
            request, metadata=[("authorization", f"Bearer {broker.key}")]
        )
    secret: str = answer.secret
    return secret


def asked(
    broker: BrokerProcess, token: str, *, post: bool = False, **parameters: str
) -> tuple[int, dict[str, str], Any]:
    """The status, the answer, and its headers."""
    written = urllib.parse.urlencode(parameters)
    url = f"http://{broker.http_address}/send-url/{token}"
    request = urllib.request.Request(url, data=written.encode()) if post else f"{url}?{written}"
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, json.loads(response.read()), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read()), error.headers


@pytest.mark.parametrize("post", [False, True], ids=["GET", "POST"])
def test_a_request_is_a_message(sending: BrokerProcess, token: str, post: bool) -> None:
    """Of the token's account, with what was said of it; a dollar is a dollar."""
    status, answer, headers = asked(
        sending,
        token,
        post=post,
        recipientNumber=NUMBER,
        message="$5 ☃",
        campaign="spring",
        dataField="d",
    )
    assert (200, "ACCEPTED", "no-store") == (status, answer["status"], headers["Cache-Control"])
    with grpc.insecure_channel(sending.address) as channel:
        found = (
            message_service_pb2_grpc
            .MessageServiceStub(channel)
            .GetMessage(
                message_service_pb2.GetMessageRequest(message_id=answer["message_id"]),
                metadata=[("authorization", f"Bearer {sending.key}")],
            )
            .message
        )
    assert (NUMBER, "$5 ☃", "spring", "d", "url") == (
        found.recipient,
        found.content.sms.text,
        found.campaign.id,
        found.data,
        found.origin,
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"recipientNumber": NUMBER},
        {"message": "Hello"},
        {"recipientNumber": NUMBER, "message": " "},
        {"recipientNumber": NUMBER, "message": "Hello", "sender": "Shop"},
        {"recipientNumber": NUMBER, "message": "a\0b"},
        {"recipientNumber": NUMBER, "message": "Hello", "campaign": "two\nlines"},
        {"recipientNumber": NUMBER, "message": "x" * 2_000},
        *(
            {"recipientNumber": "1", "message": "m", name: "x" * (limit + 1)}
            for name, limit in LIMITS.items()
        ),
    ],
)
def test_what_is_wrong_with_a_request_is_said(
    sending: BrokerProcess, token: str, parameters: dict[str, str]
) -> None:
    """And nothing is sent."""
    status, answer, _ = asked(sending, token, post=True, **parameters)
    assert 400 == status
    assert answer["error"]


def test_a_refused_recipient_has_a_message_and_a_reason(sending: BrokerProcess, token: str) -> None:
    """As in a Send."""
    status, answer, _ = asked(sending, token, recipientNumber="nobody", message="Hello")
    assert (422, "REJECTED", "INVALID_RECIPIENT") == (status, answer["status"], answer["reason"])
    assert 13 == len(answer["message_id"])


def test_the_same_request_id_is_one_message(sending: BrokerProcess, token: str) -> None:
    """With other words it is a conflict."""
    once = {"recipientNumber": NUMBER, "message": "Hello", "requestId": "r1"}
    first, again = (asked(sending, token, **once)[:2] for _ in range(2))
    assert (200, first) == (first[0], again)
    status, answer, _ = asked(sending, token, **(once | {"message": "Bye"}))
    assert (409, "REQUEST_ID_REUSED") == (status, answer["reason"])


def test_only_a_url_token_opens_the_url(sending: BrokerProcess, token: str) -> None:
    """A key, a guess, and a token with another character are as good as none."""
    said = {"recipientNumber": NUMBER, "message": "Hello"}
    for each in (made(sending, api_key_pb2.ROLE_SEND), sending.key, "x", token[:-1] + "!"):
        status, answer, _ = asked(sending, each, **said)
        assert (404, {"error": "there is nothing here"}) == (status, answer)


def test_a_token_may_be_used_once_a_second(sending: BrokerProcess) -> None:
    """Unless somebody decided otherwise; more is told when to come back."""
    token = made(sending, api_key_pb2.ROLE_URL_SENDING)
    said = {"recipientNumber": NUMBER, "message": "Hello"}
    answers = [asked(sending, token, **said) for _ in range(5)]
    assert 200 == answers[0][0]
    late = [each for each in answers if each[0] == 429]
    assert late
    assert ("RATE_LIMITED", "1") == (late[0][1]["reason"], late[0][2]["Retry-After"])


def test_nothing_is_sent_by_url_where_nobody_switched_it_on(tmp_path: Path) -> None:
    """Which is how a broker starts."""
    with BrokerProcess(tmp_path, SANDBOX, {}) as broker:
        token = made(broker, api_key_pb2.ROLE_URL_SENDING)
        url = f"http://{broker.http_address}/send-url/{token}?recipientNumber={NUMBER}&message=m"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url, timeout=20)
    with refused.value as error:
        assert 404 == error.code
