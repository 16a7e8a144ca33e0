"""Keys on the wire, with a real store behind them."""

from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from broker.delivery.keys import Keys
from broker.domain.access import Role
from broker.domain.api_key import KEYS_MAX
from broker.domain.ids import format_id
from broker.testing.builders import NOW_US, ManualClock
from waypost.v1 import api_key_pb2, send_pb2

ADMIN_ACCOUNT, PARTNER_ACCOUNT, STRANGER_ACCOUNT = 1, 2, 3
LATER = Timestamp(seconds=NOW_US // 1_000_000 + 60)


async def test_a_key_is_made_with_all_that_was_asked_for(call: Any, keys: Keys) -> None:
    """Its secret works, and is in no other answer."""
    made_key = await call(
        "CreateApiKey", role=api_key_pb2.ROLE_SEND, expire_time=LATER, description="till", calls_per_second=9
    )
    expected = api_key_pb2.ApiKey(
        key_id=made_key.api_key.key_id,
        account_id=format_id(ADMIN_ACCOUNT),
        role=api_key_pb2.ROLE_SEND,
        description="till",
        calls_per_second=9,
        create_time={"seconds": NOW_US // 1_000_000},
        expire_time=LATER,
    )
    assert expected == made_key.api_key
    listed = await call("ListApiKeys")
    assert expected == listed.api_keys[-1]
    assert made_key.secret.encode() not in listed.SerializeToString()
    caller = await keys.authenticate(made_key.secret)
    assert caller is not None
    assert (Role.SEND, 9) == (caller.role, caller.calls_per_second)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"role": 0}, "role"),
        ({"role": 9}, "role"),
        ({"expire_time": Timestamp(seconds=NOW_US // 1_000_000)}, "expire_time"),
        ({"description": "two\nlines"}, "description"),
        ({"description": "x" * 201}, "description"),
        ({"calls_per_second": -1}, "calls_per_second"),
        ({"calls_per_second": 100_001}, "calls_per_second"),
    ],
)
async def test_a_key_that_cannot_be_is_refused_with_its_field(call: Any, fields: Any, field: str) -> None:
    """And none is made."""
    before = len((await call("ListApiKeys")).api_keys)
    refusal = await call("CreateApiKey", **{"role": api_key_pb2.ROLE_SEND, **fields})
    assert (grpc.StatusCode.INVALID_ARGUMENT, {field}) == (refusal.code, refusal.violations.keys())
    assert before == len((await call("ListApiKeys")).api_keys)


async def test_a_partner_makes_keys_for_the_accounts_below_its_own(call: Any, api: Any, made: Any) -> None:
    """They work at once, for their account alone; an admin key it cannot make."""
    customer = await made(1, "partner")
    answer = await call(
        "CreateApiKey", "partner", account_id=customer.account_id, role=api_key_pb2.ROLE_PARTNER
    )
    own = await api.call("AccountService/GetAccount", b"", key=answer.secret)
    assert customer.account_id.encode() in own
    refusal = await call("CreateApiKey", "partner", role=api_key_pb2.ROLE_ADMIN)
    assert (grpc.StatusCode.PERMISSION_DENIED, "ROLE_INSUFFICIENT") == (refusal.code, refusal.reason)


@pytest.mark.parametrize("key", ["send", "read"])
@pytest.mark.parametrize("method", ["CreateApiKey", "ListApiKeys", "RevokeApiKey"])
async def test_other_roles_see_no_keys(call: Any, method: str, key: str) -> None:
    """Not even their own."""
    assert "ROLE_INSUFFICIENT" == (await call(method, key)).reason


async def test_a_revoked_key_is_refused_at_once(call: Any, api: Any) -> None:
    """And is listed to who asks for it."""
    answer = await call("CreateApiKey", role=api_key_pb2.ROLE_SEND)
    assert isinstance(await api.call("AccountService/GetAccount", b"", key=answer.secret), bytes)
    revoked = (await call("RevokeApiKey", key_id=answer.api_key.key_id)).api_key
    assert NOW_US // 1_000_000 == revoked.revoke_time.seconds
    refusal = await api.call("AccountService/GetAccount", b"", key=answer.secret)
    assert (grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID") == (refusal.code, refusal.reason)
    shown = [revoked in (await call("ListApiKeys", include_revoked=each)).api_keys for each in (False, True)]
    assert [False, True] == shown


async def test_a_key_does_not_end_itself(call: Any) -> None:
    """Who rotates keys makes the next one first."""
    own = (await call("ListApiKeys")).api_keys[0]
    refusal = await call("RevokeApiKey", key_id=own.key_id)
    assert {"key_id"} == refusal.violations.keys()
    assert [own] == list((await call("ListApiKeys")).api_keys)


async def test_a_partner_ends_no_administrators_key(call: Any) -> None:
    """Of its own account."""
    answer = await call("CreateApiKey", account_id=format_id(PARTNER_ACCOUNT), role=api_key_pb2.ROLE_ADMIN)
    refusal = await call("RevokeApiKey", "partner", key_id=answer.api_key.key_id)
    assert "ROLE_INSUFFICIENT" == refusal.reason


async def test_anothers_key_cannot_be_told_from_a_missing_one(call: Any) -> None:
    """To the last byte, in an own account or in theirs."""
    theirs = (await call("ListApiKeys", account_id=format_id(STRANGER_ACCOUNT))).api_keys[0]
    refusals = [
        await call("RevokeApiKey", "partner", key_id=each)
        for each in (theirs.key_id, format_id(999), "nonsense", "")
    ]
    assert [refusals[0]] * 4 == refusals
    assert (grpc.StatusCode.NOT_FOUND, "KEY_NOT_FOUND") == (refusals[0].code, refusals[0].reason)
    for method in ("CreateApiKey", "ListApiKeys", "RevokeApiKey"):
        refusal = await call(method, "partner", account_id=theirs.account_id)
        assert "ACCOUNT_NOT_FOUND" == refusal.reason


async def test_an_account_has_so_many_keys(call: Any) -> None:
    """One more is a failed precondition."""
    for _ in range(KEYS_MAX - 1):
        await call("CreateApiKey", role=api_key_pb2.ROLE_READ)
    refusal = await call("CreateApiKey", role=api_key_pb2.ROLE_READ)
    assert (grpc.StatusCode.FAILED_PRECONDITION, "TOO_MANY_KEYS") == (refusal.code, refusal.reason)
    pages, token = [], ""
    while not pages or token:
        page = await call("ListApiKeys", page_size=40, page_token=token)
        pages.append(len(page.api_keys))
        token = page.next_page_token
    assert [40, 40, 20] == pages


async def test_a_url_token_opens_no_door_of_this_api(call: Any, api: Any) -> None:
    """It is no key, and makes one call a second where nobody said otherwise."""
    answer = await call("CreateApiKey", role=api_key_pb2.ROLE_URL_SENDING)
    assert (True, 1) == (answer.secret.startswith("wpu_"), answer.api_key.calls_per_second)
    refusal = await api.call("AccountService/GetAccount", b"", key=answer.secret)
    assert (grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID") == (refusal.code, refusal.reason)


async def test_one_call_too_many_is_refused_with_when_to_come_back(
    call: Any, api: Any, clock: ManualClock, sms: Any
) -> None:
    """Unary calls and the requests of a stream are counted together."""
    answer = await call("CreateApiKey", role=api_key_pb2.ROLE_SEND, calls_per_second=20)
    first, second, third = [await api.call("BrokerService/Send", sms(), key=answer.secret) for _ in range(3)]
    assert [bytes, bytes] == [type(first), type(second)]
    assert (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED") == (third.code, third.reason)
    assert 0 < third.retry.retry_delay.nanos <= 100_000_000
    assert third.quota is not None
    clock.advance(1)
    stream = api.converse("BrokerService/SendStream", send_pb2.SendStreamResponse, key=answer.secret)
    await stream.write(send_pb2.SendStreamRequest(requests=[sms()] * 3))
    reasons = [each.error.reason for each in (await stream.read()).responses]
    await stream.done_writing()
    assert ["", "RATE_LIMITED", "RATE_LIMITED"] == reasons
