"""SenderService on the wire, with a real store behind it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from broker.delivery.identities import Identities
from broker.delivery.senders import Senders
from broker.domain.ids import first_id_at
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US, ManualClock
from broker.testing.store_suite.invariants import check_store
from waypost.v1 import sender_pb2, sender_service_pb2

READER, SENDER, ADMIN = "read-key", "send-key", "admin-key"
OTHER_ACCOUNT = "0000000000002"
CODE: dict[str, Any] = {
    "value": "12345",
    "country": "us",
    "capabilities": [1, 2, 6],
    "providers": ["acme"],
    "pool": "care",
    "tags": [" VIP ", "vip"],
    "is_default": True,
}


@pytest.fixture
async def senders(tmp_path: Path) -> AsyncIterator[Senders]:
    """Of two accounts, over the instance "acme"."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.close()
    store, clock = Store(engine), ManualClock()
    await store.write(create_accounts, [NewAccount(each, "test", NOW_US) for each in (1, 2)], (1, 2))
    identities = Identities(store, clock, node=0, last=first_id_at(NOW_US // 1_000))
    yield Senders(store, identities, clock, providers={"acme"})
    await store.read(check_store, (1, 2))
    await store.close()


async def call(api: Any, method: str, key: str = ADMIN, **fields: Any) -> Any:
    """A call of the service."""
    request = getattr(sender_service_pb2, f"{method}Request")(**fields)
    response = getattr(sender_service_pb2, f"{method}Response")
    return await api.call(f"SenderService/{method}", request, response, key=key)


async def create(api: Any, **sender: Any) -> Any:
    """A registered sender, or the refusal."""
    answer = await call(api, "CreateSender", sender=sender)
    return getattr(answer, "sender", answer)


async def values(api: Any, **wanted: Any) -> list[str]:
    """The values of the senders that a filter lets through, for a reader."""
    return [each.value for each in (await call(api, "ListSenders", READER, filter=wanted)).senders]


async def test_a_sender_is_shown_with_what_follows_from_its_value(api: Any) -> None:
    """Its kind, its normal form, its account and when it came; also in lists, to a reader."""
    created = await create(api, **CODE)
    expected = sender_pb2.Sender(
        sender_id=created.sender_id,
        account_id="0000000000001",
        value="12345",
        kind=sender_pb2.SENDER_KIND_SHORT_CODE,
        country="US",
        capabilities=[1, 2, 6],
        providers=["acme"],
        pool="care",
        tags=["vip"],
        is_default=True,
    )
    expected.create_time.FromMicroseconds(NOW_US)
    assert expected == created
    assert 13 == len(created.sender_id)
    assert [expected] == list((await call(api, "ListSenders", READER)).senders)


async def test_a_list_is_filtered_by_what_senders_have(api: Any) -> None:
    """Each list that is given must hold it; capabilities all of them."""
    await create(api, **CODE)
    await create(api, value="+12025550123", tags=["eu", "vip"])
    await create(api, value="Shop", country="GB")
    await create(api, value="care@shop.example", pool="care")
    for wanted, expected in (
        ({}, ["12345", "+12025550123", "Shop", "care@shop.example"]),
        ({"kinds": [1, 2]}, ["12345", "+12025550123"]),
        ({"capabilities": [1]}, ["12345", "+12025550123", "Shop"]),
        ({"capabilities": [1, 2]}, ["12345"]),
        ({"countries": ["us"]}, ["12345", "+12025550123"]),
        ({"pools": ["care"]}, ["12345", "care@shop.example"]),
        ({"tags": ["EU", "x"]}, ["+12025550123"]),
        ({"values": ["Shop", "none"]}, ["Shop"]),
        ({"kinds": [1], "countries": ["GB"]}, []),
    ):
        assert expected == await values(api, **wanted)


async def test_pages_go_through_all_senders_once(api: Any) -> None:
    """A token is good for its own list alone."""
    made = [(await create(api, value=f"+1202555012{number}")).value for number in range(5)]
    seen: list[str] = []
    token = ""
    while True:
        page = await call(api, "ListSenders", page_size=2, page_token=token)
        seen += [each.value for each in page.senders]
        token = page.next_page_token
        if not token:
            break
    assert made == seen
    first = await call(api, "ListSenders", page_size=2)
    refusal = await call(api, "ListSenders", page_token=first.next_page_token, filter={"kinds": [2]})
    assert {"page_token"} == refusal.violations.keys()
    whole = await call(api, "ListSenders", page_size=5)
    assert "" == whole.next_page_token


async def test_a_removed_sender_is_gone(api: Any) -> None:
    """Once."""
    made = await create(api, **CODE)
    assert sender_service_pb2.DeleteSenderResponse() == await call(
        api, "DeleteSender", sender_id=made.sender_id
    )
    assert [] == await values(api)
    again = await call(api, "DeleteSender", sender_id=made.sender_id)
    assert (grpc.StatusCode.NOT_FOUND, "SENDER_NOT_FOUND") == (again.code, again.reason)


async def test_another_accounts_sender_is_like_one_that_is_not_there(api: Any) -> None:
    """An admin sees each account's own."""
    made = await create(api, **CODE)
    unknown = await call(api, "DeleteSender", sender_id="0000000000009")
    stranger = await call(api, "DeleteSender", account_id=OTHER_ACCOUNT, sender_id=made.sender_id)
    nonsense = await call(api, "DeleteSender", sender_id="?")
    assert {("SENDER_NOT_FOUND", unknown.message)} == {
        (each.reason, each.message) for each in (unknown, stranger, nonsense)
    }
    assert 0 == len((await call(api, "ListSenders", account_id=OTHER_ACCOUNT)).senders)
    assert ["12345"] == await values(api)


async def test_a_sender_that_is_there_already_exists(api: Any) -> None:
    """Of the same kind and country."""
    await create(api, **CODE)
    refusal = await create(api, value="12345", country="US")
    assert (grpc.StatusCode.ALREADY_EXISTS, "SENDER_EXISTS") == (refusal.code, refusal.reason)
    assert "CA" == (await create(api, value="12345", country="CA")).country


@pytest.mark.parametrize(
    ("sender", "fields"),
    [
        ({}, {"value"}),
        ({"value": "x" * 255}, {"value"}),
        ({"value": "a\nb"}, {"value"}),
        ({"value": "12345"}, {"country"}),
        ({"value": "12345", "country": "US", "kind": 9}, {"kind"}),
        ({"value": "12345", "country": "US", "kind": 2}, {"kind"}),
        ({"value": "Shop", "capabilities": [0]}, {"capabilities[0]"}),
        ({"value": "Shop", "capabilities": [1] * 101}, {"capabilities"}),
        ({"value": "Shop", "capabilities": [2]}, {"capabilities"}),
        ({"value": "Shop", "providers": ["nobody"]}, {"providers[0]"}),
        ({"value": "Shop", "pool": "two words", "tags": [""]}, {"pool", "tags[0]"}),
    ],
)
async def test_a_sender_that_breaks_a_rule_is_refused_with_its_field(
    api: Any, sender: dict[str, Any], fields: set[str]
) -> None:
    """All of them at once, and nothing is registered."""
    refusal = await create(api, **sender)
    assert {f"sender.{each}" for each in fields} == refusal.violations.keys()
    assert [] == await values(api)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"filter": {"kinds": [0]}}, "filter.kinds[0]"),
        ({"filter": {"capabilities": [7]}}, "filter.capabilities[0]"),
        ({"filter": {"tags": ["x"] * 101}}, "filter.tags"),
        ({"page_size": 1_001}, "page_size"),
        ({"page_token": "x"}, "page_token"),
    ],
)
async def test_a_list_that_breaks_a_rule_is_refused_with_its_field(
    api: Any, wanted: dict[str, Any], field: str
) -> None:
    """As every request."""
    assert {field} == (await call(api, "ListSenders", **wanted)).violations.keys()


async def test_a_filter_may_have_a_hundred_values(api: Any) -> None:
    """The most that is allowed."""
    await create(api, **CODE)
    assert ["12345"] == await values(api, tags=["vip"] * 100)


@pytest.mark.parametrize("method", ["CreateSender", "DeleteSender"])
@pytest.mark.parametrize("key", [READER, SENDER])
async def test_only_an_admin_changes_senders(api: Any, method: str, key: str) -> None:
    """Whatever it sends."""
    assert "ROLE_INSUFFICIENT" == (await call(api, method, key)).reason
