"""OptIn and ConsentService on the wire, with a real store behind them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from broker.api.convert.events import event_message
from broker.delivery.consents import Consents
from broker.delivery.opt_in_forwarder import OptInForwarder
from broker.domain.vocabulary import EventKind
from broker.storage.history import read_events
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US, ManualClock
from broker.testing.scripted_provider import scripted_registry
from waypost.v1 import consent_service_pb2, event_pb2, opt_in_pb2

READER, ADMIN = "read-key", "admin-key"
OTHER_ACCOUNT = "0000000000002"
PHONE = "+447700900123"
OPTED_IN, OPTED_OUT, GLOBALLY, UNSET = 1, 2, 3, 4


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """With two accounts."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.close()
    store = Store(engine)
    await store.write(create_accounts, [NewAccount(each, "test", NOW_US) for each in (1, 2)], (1, 2))
    yield store
    await store.close()


@pytest.fixture
def consents(store: Store) -> Consents:
    """What the services work with."""
    clock = ManualClock()
    forwarder = OptInForwarder(store, scripted_registry(), clock, timeout_s=5.0, lease_s=90.0)
    return Consents(store, forwarder, clock)


async def opt_in(api: Any, *entries: dict[str, Any], key: str = "send-key", account_id: str = "") -> Any:
    """An OptIn call; entries are about one phone and the sender Shop unless they say otherwise."""
    whole = [{"sender": "Shop", "recipient": PHONE} | each for each in entries]
    request = opt_in_pb2.OptInRequest(account_id=account_id, entries=whole)
    return await api.call("BrokerService/OptIn", request, opt_in_pb2.OptInResponse, key=key)


async def get(api: Any, key: str = READER, **fields: Any) -> Any:
    """A GetOptIn call."""
    request = consent_service_pb2.GetOptInRequest(**({"sender": "Shop", "recipient": PHONE} | fields))
    return await api.call("ConsentService/GetOptIn", request, consent_service_pb2.GetOptInResponse, key=key)


async def listed(api: Any, **fields: Any) -> Any:
    """A ListOptIns call."""
    request = consent_service_pb2.ListOptInsRequest(**fields)
    return await api.call(
        "ConsentService/ListOptIns", request, consent_service_pb2.ListOptInsResponse, key=READER
    )


async def test_an_answer_has_the_state_in_force_and_what_to_tell_the_recipient(api: Any) -> None:
    """One for each entry, in order, in the language of its keyword."""
    answer = await opt_in(
        api,
        {"keyword": "Arrêt!", "recipient": "+44 7700 900123", "organisation_name": "Acme"},
        {"state": OPTED_IN, "recipient": "ada@Example.org"},
        {"keyword": "HELP", "sender": "Bank"},
    )
    assert [
        (
            "Shop",
            PHONE,
            OPTED_OUT,
            "Acme: vous ne recevrez plus de messages. Répondez START pour en recevoir de nouveau.",
        ),
        (
            "Shop",
            "ada@example.org",
            OPTED_IN,
            "You will get messages again. Reply STOP to end them, HELP for help.",
        ),
        ("Bank", PHONE, UNSET, "Reply STOP to get no more messages, START to get them again."),
    ] == [(each.sender, each.recipient, each.state, each.message) for each in answer.states]
    assert [True, True, False] == [each.HasField("since") for each in answer.states]


async def test_what_was_said_is_shown_with_its_evidence(api: Any) -> None:
    """The newest first."""
    await opt_in(api, {"keyword": "STOP", "evidence": "a letter", "recipient_name": "Ada"})
    await opt_in(api, {"state": OPTED_IN})
    found = await get(api)
    assert (OPTED_IN, "Shop", PHONE) == (found.record.state, found.record.sender, found.record.recipient)
    assert [(1, ""), (2, "STOP")] == [(each.act, each.keyword) for each in found.testimony]
    first = found.testimony[1]
    assert ("a letter", "Ada", 1, "0000000000002", 1) == (
        first.evidence,
        first.recipient_name,
        first.source,
        first.told_by,
        first.scope,
    )


async def test_stopall_is_about_every_sender(api: Any) -> None:
    """Of the account that was told."""
    answer = await opt_in(api, {"keyword": "STOP ALL"})
    assert ("", OPTED_OUT) == (answer.states[0].sender, answer.states[0].state)
    assert OPTED_OUT == (await get(api, sender="Bank")).record.state
    assert UNSET == (await get(api, key=ADMIN, sender="Bank", account_id=OTHER_ACCOUNT)).record.state


async def test_a_global_opt_out_takes_an_admin_key(api: Any) -> None:
    """It holds for accounts that are none of the caller's, and no call lifts it."""
    refused = await opt_in(api, {"keyword": "STOP", "scope": 2})
    assert (grpc.StatusCode.PERMISSION_DENIED, "ROLE_INSUFFICIENT") == (refused.code, refused.reason)
    for entry in ({"keyword": "STOP", "scope": 2}, {"state": GLOBALLY}):
        assert GLOBALLY == (await opt_in(api, entry, key=ADMIN)).states[0].state
    assert GLOBALLY == (await opt_in(api, {"state": OPTED_IN}, key=ADMIN)).states[0].state
    assert GLOBALLY == (await get(api, key=ADMIN, account_id=OTHER_ACCOUNT)).record.state


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"keyword": "STOP 12345"}, "entries[1].keyword"),
        ({"keyword": ""}, "entries[1].keyword"),
        ({"state": UNSET}, "entries[1]"),
        ({"state": 99}, "entries[1]"),
        ({}, "entries[1]"),
        ({"keyword": "STOP", "recipient": "07700900123"}, "entries[1].recipient"),
        ({"keyword": "STOP", "recipient": ""}, "entries[1].recipient"),
        ({"keyword": "STOP", "recipient": "a@b@c"}, "entries[1].recipient"),
        ({"keyword": "START", "scope": 2}, "entries[1].scope"),
        ({"keyword": "STOP", "scope": 9}, "entries[1].scope"),
        ({"state": GLOBALLY, "scope": 1}, "entries[1].scope"),
        ({"keyword": "STOP", "scope": 2, "sender": " "}, "entries[1].sender"),
        ({"keyword": "STOPALL", "scope": 2}, "entries[1].sender"),
        ({"keyword": "STOP", "sender": "x" * 255}, "entries[1].sender"),
        ({"keyword": "STOP", "organisation_name": "x" * 129}, "entries[1].organisation_name"),
        ({"keyword": "STOP", "recipient_name": "a\nb"}, "entries[1].recipient_name"),
        ({"keyword": "STOP", "evidence": "x" * 1_025}, "entries[1].evidence"),
    ],
)
async def test_a_wrong_entry_refuses_the_call(api: Any, entry: dict[str, Any], field: str) -> None:
    """Naming the field; nothing of the call is put on record."""
    refused = await opt_in(api, {"keyword": "STOP"}, entry, key=ADMIN)
    assert (grpc.StatusCode.INVALID_ARGUMENT, [field]) == (refused.code, list(refused.violations))
    assert UNSET == (await get(api)).record.state


@pytest.mark.parametrize("count", [0, 1_001])
async def test_a_call_has_1_to_1000_entries(api: Any, count: int) -> None:
    """Up to the last."""
    refused = await opt_in(api, *([{"keyword": "STOP"}] * count))
    assert ["entries"] == list(refused.violations)
    assert 1_000 == len((await opt_in(api, *([{"keyword": "STOP"}] * 1_000))).states)


async def test_a_reader_changes_nothing(api: Any) -> None:
    """It may look."""
    refused = await opt_in(api, {"keyword": "STOP"}, key=READER)
    assert grpc.StatusCode.PERMISSION_DENIED == refused.code
    assert UNSET == (await get(api)).record.state


async def test_a_reader_does_not_ask_upstreams(api: Any) -> None:
    """What they say may change what is in force."""
    refused = await get(api, ask_upstream=True)
    assert (grpc.StatusCode.PERMISSION_DENIED, "ROLE_INSUFFICIENT") == (refused.code, refused.reason)
    assert UNSET == (await get(api, key="send-key", ask_upstream=True)).record.state


async def test_a_strangers_account_is_like_one_that_is_not_there(api: Any) -> None:
    """For each call."""
    for account_id in (OTHER_ACCOUNT, "0000000000009"):
        refusals = [
            await opt_in(api, {"keyword": "STOP"}, account_id=account_id),
            await get(api, account_id=account_id),
            await listed(api, account_id=account_id),
        ]
        assert ["ACCOUNT_NOT_FOUND"] * 3 == [each.reason for each in refusals]


async def test_lists_go_page_by_page(api: Any) -> None:
    """A token is good for the list that gave it."""
    await opt_in(
        api,
        *({"keyword": "STOP", "recipient": f"+44770090000{number}"} for number in range(5)),
        {"state": OPTED_IN, "sender": ""},
    )
    first = await listed(api, page_size=4)
    second = await listed(api, page_size=4, page_token=first.next_page_token)
    assert ([f"+44770090000{n}" for n in range(5)] + [PHONE], "") == (
        [each.recipient for each in (*first.records, *second.records)],
        second.next_page_token,
    )
    for filters, count in (
        ({"states": [OPTED_IN]}, 1),
        ({"states": [OPTED_IN, OPTED_OUT]}, 6),
        ({"sender": "SHOP"}, 5),
        ({"sender": ""}, 1),
        ({"recipient": "+44 7700 900003"}, 1),
    ):
        assert count == len((await listed(api, filter=filters)).records)
    wrong = await listed(api, filter={"sender": ""}, page_token=first.next_page_token)
    assert ["page_token"] == list(wrong.violations)
    for fields, field in (
        ({"page_size": 1_001}, "page_size"),
        ({"filter": {"states": [9]}}, "filter.states[0]"),
        ({"filter": {"states": [1] * 5}}, "filter.states"),
        ({"filter": {"recipient": "x"}}, "filter.recipient"),
    ):
        assert [field] == list((await listed(api, **fields)).violations)


async def test_a_wish_that_moves_is_an_event(api: Any, store: Store) -> None:
    """With what is in force, and what was before."""
    await opt_in(api, {"keyword": "STOP", "organisation_name": "Acme"}, {"keyword": "STOP"})
    (record,) = await store.read(read_events, 1, 0, 10)
    told = event_message(record)
    assert (EventKind.OPT_IN, "opt_in", "0000000000001", 1) == (
        record.kind,
        told.WhichOneof("payload"),
        told.account_id,
        told.sequence,
    )
    expected = event_pb2.OptInEvent(previous_state=UNSET)
    expected.record.CopyFrom((await get(api)).record)
    assert expected == told.opt_in


async def test_national_numbers_are_those_of_the_accounts_default_region(api: Any) -> None:
    """In what is said, asked for and listed; without one they are refused."""
    national = {"recipient": "07700 900123"}
    refusal = await opt_in(api, national | {"state": OPTED_OUT})
    assert {"entries[0].recipient"} == refusal.violations.keys()
    api.policies.region = "GB"
    (state,) = (await opt_in(api, national | {"state": OPTED_OUT})).states
    assert (PHONE, OPTED_OUT) == (state.recipient, state.state)
    assert OPTED_OUT == (await get(api, **national)).record.state
    (record,) = (await listed(api, filter=national)).records
    assert PHONE == record.recipient
