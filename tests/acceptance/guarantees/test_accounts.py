"""The promises of docs/guarantees.md, kept by a real broker over its socket: I8 and I9, about accounts and secrets."""

from typing import Any
from urllib.request import urlopen

import grpc
import pytest
from grpc_status import rpc_status

from broker.delivery.keys import hash_secret
from broker.domain.access import Role
from broker.domain.ids import format_id
from broker.storage.keeping import NewAccount, NewKey, create_accounts, create_keys
from broker.storage.sqlite import SqliteEngine
from tests.acceptance.guarantees.caller import (
    AMBIGUOUS,
    CALL_S_MAX,
    DOWN,
    ORDINARY,
    QUICK,
    REJECTED,
    TWICE,
    Client,
    in_seconds,
    refusal,
    text_to,
)
from tests.acceptance.guarantees.conftest import Connected
from waypost.v1 import content_pb2
from waypost.v1.status_pb2 import MessageStatus

# I8: accounts are isolated.


@pytest.fixture
def two_accounts(broker_factory: Any, connect: Connected) -> tuple[Client, Client, Client, str]:
    """The default account's admin, another account's sender and its reader, and the default account's id."""
    broker = broker_factory()
    account = connect(broker).life(connect(broker).send_one(ORDINARY))[0].account_id
    assert 0 == broker.stop()
    secrets = {Role.SEND: f"wp_{format_id(8)}_sender", Role.READ: f"wp_{format_id(9)}_reader"}
    engine = SqliteEngine(broker.data_dir)
    connection = engine.connect()
    connection.write(lambda tx: create_accounts(tx, [NewAccount(5, "other", 0)]), [5])
    keys = [
        NewKey(number, 5, role, hash_secret(secret), 0)
        for number, (role, secret) in zip((8, 9), secrets.items(), strict=True)
    ]
    connection.write(lambda tx: create_keys(tx, keys), [5])
    connection.close()
    engine.close()
    broker.restart()
    return connect(broker), connect(broker, secrets[Role.SEND]), connect(broker, secrets[Role.READ]), account


def test_i8_anothers_message_is_as_unknown_as_none(two_accounts: tuple[Client, Client, Client, str]) -> None:
    """The very same refusal, whether it is there or not."""
    owner, other, _, _ = two_accounts
    message_id = owner.send_one(ORDINARY, schedule_time=in_seconds(60))
    for ask in (other.get, other.cancel):
        refusals = []
        for asked in (message_id, format_id(1)):
            with pytest.raises(grpc.RpcError) as refused:
                ask(asked)
            refusals.append((
                refused.value.code(),
                refused.value.details(),
                rpc_status.from_call(refused.value),
            ))
        assert grpc.StatusCode.NOT_FOUND == refusals[0][0]
        assert refusals[0] == refusals[1]
    assert [] == other.listed()
    assert "MESSAGE_STATUS_SCHEDULED" == MessageStatus.Name(owner.get(message_id).message.status)


def test_i8_each_account_has_its_own_log_and_request_ids(
    two_accounts: tuple[Client, Client, Client, str],
) -> None:
    """Sequences start at 1, request_ids do not collide, and a cursor is good for its account only."""
    owner, other, _, account = two_accounts
    owner.send(ORDINARY, request_id="same")
    own = other.send_one(REJECTED, request_id="same")
    events = other.life(own)
    assert [1, 2, 3] == [event.sequence for event in events]
    assert {own} == {event.message.message_id for event in other.events_until(3)}
    with pytest.raises(grpc.RpcError) as refused:
        next(other.frames(after_cursor=next(owner.frames()).cursor))
    assert (grpc.StatusCode.INVALID_ARGUMENT, "CURSOR_INVALID") == refusal(refused.value)
    for wanted in (account, format_id(6)):
        with pytest.raises(grpc.RpcError) as refused:
            other.send(ORDINARY, account_id=wanted)
        assert (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND") == refusal(refused.value)


def test_i8_a_key_opens_what_its_role_allows(
    two_accounts: tuple[Client, Client, Client, str], broker_factory: Any, connect: Connected
) -> None:
    """A reader may not send, and no key or a wrong one opens nothing."""
    _, other, reader, _ = two_accounts
    message_id = other.send_one(ORDINARY)
    assert message_id == reader.get(message_id).message.message_id
    with pytest.raises(grpc.RpcError) as refused:
        reader.send(ORDINARY)
    assert (grpc.StatusCode.PERMISSION_DENIED, "ROLE_INSUFFICIENT") == refusal(refused.value)
    other.metadata = [("authorization", f"Bearer wp_{format_id(8)}_guessed")]
    with pytest.raises(grpc.RpcError) as refused:
        other.get(message_id)
    assert (grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID") == refusal(refused.value)
    other.metadata = []
    with pytest.raises(grpc.RpcError) as refused:
        other.get(message_id)
    assert (grpc.StatusCode.UNAUTHENTICATED, "KEY_MISSING") == refusal(refused.value)


# I9: no body, secret or full address in the log.


def test_i9_nothing_that_a_caller_said_is_in_the_log_or_the_metrics(
    broker_factory: Any, connect: Connected
) -> None:
    """Not after deliveries, refusals, failures, a kill and a drain."""
    private = "Quetzalcoatl"
    broker = broker_factory({
        "delivery": QUICK["delivery"] | {"attempts_max": 2},
        "server": {"http_listen": "127.0.0.1:0"},
    })
    client = connect(broker)
    secret = broker.key.rpartition("_")[2]
    numbers = [ORDINARY, REJECTED, AMBIGUOUS, TWICE, DOWN]
    request = text_to(*numbers, f"+{private}", request_id=private, client_reference=private, data=private)
    request.content.sms.text = f"{private} speaks"
    request.content.email.MergeFrom(content_pb2.EmailContent(subject=private, text=private))
    request.recipients.add(email=f"{private}@example.org", client_reference=private)
    client.send_raw(request)
    client.send(ORDINARY, sender=private * 3)
    request.data += "!"
    for broken in (request, text_to(*numbers, provider=private), text_to(*numbers, data=private * 999)):
        with pytest.raises(grpc.RpcError):
            client.send_raw(broken)
    with pytest.raises(grpc.RpcError):
        connect(broker, f"{broker.key}{private}").get(private)
    client.all_end(client.listed())
    client.send(*numbers)
    broker.kill()
    broker.restart()
    connect(broker).all_end(connect(broker).listed())
    with urlopen(f"http://{broker.ready['http_address']}/metrics", timeout=CALL_S_MAX) as answer:
        metrics = answer.read().decode()
    assert 0 == broker.stop()
    log = broker.log.read_text()
    assert '"broker.ready"' in log
    assert "waypost" in metrics
    # The local part of an address and the last ten digits of a number are enough to know a person by.
    assert [] == [
        said for said in (private, secret, *(number[-10:] for number in numbers)) if said in log + metrics
    ]
