"""Keywords on the wire, with a real store behind them: each wrong field has a reason of its own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from broker.delivery.keywords import Keywords
from broker.delivery.policies import Policies
from broker.domain.account_policy import AccountPolicy
from broker.domain.directory import Label
from broker.domain.ids import format_id
from broker.domain.network import PUBLIC_ONLY
from broker.domain.price import PricedItem
from broker.domain.prices import PriceList, PriceRule, PriceTable
from broker.storage.crediting import PurchaseEnd, PurchaseWish, begin_purchases, end_purchases
from broker.storage.groups import NewGroup, add_groups
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US, ManualClock
from waypost.v1 import keyword_pb2 as pb
from waypost.v1 import price_pb2

READER, SENDER, ADMIN = "read-key", "send-key", "admin-key"
OTHER_ACCOUNT = "0000000000002"
GROUP = 77
NAME = {"sender": "+447700900001", "keyword": "Join"}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """With two accounts, the first of which has a group."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.close()
    store = Store(engine)
    await store.write(create_accounts, [NewAccount(each, "test", NOW_US) for each in (1, 2)], (1, 2))
    await store.write(add_groups, [NewGroup(GROUP, 1, Label("List"), NOW_US, 10)], [1])
    yield store
    await store.close()


@pytest.fixture
def keywords(store: Store) -> Keywords:
    """What the service works with."""
    clock = ManualClock(NOW_US)
    policies = Policies(store, clock)
    return Keywords(store, clock, policies, network=PUBLIC_ONLY, prices_now=lambda: PRICES)


async def call(api: Any, method: str, key: str = ADMIN, **fields: Any) -> Any:
    """A call about a keyword: JOIN at one number, unless it says otherwise."""
    request = getattr(pb, f"{method}Request")(**(NAME | fields))
    return await api.call(f"SenderService/{method}", request, getattr(pb, f"{method}Response"), key=key)


async def test_a_keyword_is_checked_rented_set_up_and_released(api: Any) -> None:
    """Its whole life."""
    assert (await call(api, "CheckKeyword", READER)).available
    rented = (await call(api, "RentKeyword")).keyword
    assert ("0000000000001", "+447700900001", "JOIN", "Thank you for joining our list.") == (
        rented.account_id,
        rented.sender,
        rented.keyword,
        rented.autoreply,
    )
    assert not (await call(api, "CheckKeyword", READER)).available
    settings = {"group_id": format_id(GROUP), "forward_to_email": "Ada@Example.org", "send_unique": True}
    url = "https://shop.example/hook?from={sender}"
    await call(api, "ConfigureKeyword", **settings)
    changed = (
        await call(api, "ConfigureKeyword", callback_url=url, callback_method=2, autoreply="Hi")
    ).keyword
    assert (format_id(GROUP), "Ada@example.org", True, url, 2, "Hi") == (
        changed.group_id,
        changed.forward_to_email,
        changed.send_unique,
        changed.callback_url,
        changed.callback_method,
        changed.autoreply,
    )
    cleared = (await call(api, "ConfigureKeyword", group_id="", forward_to_email="", callback_url="")).keyword
    assert ("", "", "") == (cleared.group_id, cleared.forward_to_email, cleared.callback_url)
    await call(api, "ReleaseKeyword")
    assert "KEYWORD_NOT_FOUND" == (await call(api, "ReleaseKeyword")).reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"keyword": "two words"}, "KEYWORD_INVALID"),
        ({"keyword": "STOP"}, "KEYWORD_INVALID"),
        ({"sender": "Shop"}, "INVALID_REQUEST"),
        ({"sender": ""}, "INVALID_REQUEST"),
        ({"group_id": "no id"}, "KEYWORD_GROUP_INVALID"),
        ({"group_id": OTHER_ACCOUNT}, "KEYWORD_GROUP_INVALID"),
        ({"autoreply": ""}, "KEYWORD_AUTOREPLY_INVALID"),
        ({"autoreply": "x" * 161}, "KEYWORD_AUTOREPLY_INVALID"),
        ({"forward_to_email": "nobody"}, "KEYWORD_EMAIL_INVALID"),
        ({"callback_url": "ftp://shop.example"}, "KEYWORD_URL_INVALID"),
        ({"callback_url": "http://127.0.0.1/"}, "KEYWORD_URL_INVALID"),
        ({"callback_url": "https://shop.example/{sender}"}, "KEYWORD_URL_INVALID"),
        ({"callback_method": 9}, "INVALID_REQUEST"),
    ],
)
async def test_each_wrong_field_has_its_own_reason(api: Any, fields: dict[str, Any], reason: str) -> None:
    """And is named; nothing is changed then."""
    await call(api, "RentKeyword")
    refused = await call(api, "ConfigureKeyword", **({"send_unique": True} | fields))
    assert (grpc.StatusCode.INVALID_ARGUMENT, reason) == (refused.code, refused.reason)
    assert {next(iter(fields))} == refused.violations.keys()
    (kept,) = await listed(api)
    assert not kept.send_unique


async def listed(api: Any, key: str = READER, **fields: Any) -> Any:
    """The keywords of the first page."""
    response = await api.call(
        "SenderService/ListKeywords", pb.ListKeywordsRequest(**fields), pb.ListKeywordsResponse, key=key
    )
    return response.keywords


async def test_a_keyword_of_another_account_is_taken_and_unknown(api: Any) -> None:
    """It cannot be rented again, and cannot be touched."""
    await call(api, "RentKeyword", account_id=OTHER_ACCOUNT)
    taken = await call(api, "RentKeyword")
    assert (grpc.StatusCode.ALREADY_EXISTS, "KEYWORD_TAKEN") == (taken.code, taken.reason)
    for method in ("ConfigureKeyword", "ReleaseKeyword"):
        assert "KEYWORD_NOT_FOUND" == (await call(api, method)).reason
    assert not await listed(api)


@pytest.mark.parametrize("method", ["RentKeyword", "ConfigureKeyword", "ReleaseKeyword"])
async def test_only_who_manages_the_account_changes_keywords(api: Any, method: str) -> None:
    """A key that sends cannot."""
    refused = await call(api, method, SENDER)
    assert grpc.StatusCode.PERMISSION_DENIED == refused.code


async def test_they_are_listed_in_pages(api: Any) -> None:
    """By sender and word; of one sender where it is named."""
    for sender, word in (("+447700900001", "b"), ("12345", "c"), ("+447700900001", "a")):
        await call(api, "RentKeyword", sender=sender, keyword=word)
    found, token = [], ""
    while True:
        request = pb.ListKeywordsRequest(page_size=2, page_token=token)
        page = await api.call("SenderService/ListKeywords", request, pb.ListKeywordsResponse, key=READER)
        found += [each.keyword for each in page.keywords]
        token = page.next_page_token
        if not token:
            break
    assert ["A", "B", "C"] == found
    assert ["C"] == [each.keyword for each in await listed(api, sender="12345")]


PRICES = PriceList(PriceTable(1, (PriceRule(100, item=PricedItem.KEYWORD),), "EUR"))
RENT = price_pb2.Price(amount_micros=100, currency="EUR")


async def paying(store: Store, micros: int) -> None:
    """Account 1 pays, and has so much."""
    await store.write(set_policies, [NewPolicy(1, AccountPolicy(enforce_credit=True))], [1])
    await store.write(begin_purchases, [PurchaseWish(1, "first", 1, micros, NOW_US)], [1])
    await store.write(end_purchases, [PurchaseEnd(1, "first", True, "", "EUR", NOW_US)], [1])


async def test_a_keyword_is_paid_when_it_is_rented(api: Any, store: Store) -> None:
    """CheckKeyword tells the price before; what the credit does not suffice for is not rented."""
    await paying(store, 150)
    assert RENT == (await call(api, "CheckKeyword")).price
    assert RENT == (await call(api, "RentKeyword")).keyword.price
    refusal = await call(api, "RentKeyword", keyword="second")
    assert (grpc.StatusCode.FAILED_PRECONDITION, "CREDIT_EXHAUSTED") == (refusal.code, refusal.reason)
    assert ("100", "50", "EUR") == tuple(
        refusal.info.metadata[name] for name in ("needed_micros", "available_micros", "currency")
    )
    assert (await call(api, "CheckKeyword", keyword="second")).available
    assert RENT == (await listed(api))[0].price


async def test_who_does_not_pay_rents_for_nothing(api: Any) -> None:
    """Whatever the price is."""
    assert not (await call(api, "CheckKeyword")).HasField("price")
    assert not (await call(api, "RentKeyword")).keyword.HasField("price")


async def test_who_may_use_registered_senders_alone_is_told_so(api: Any, store: Store) -> None:
    """By a reason of its own."""
    await store.write(set_policies, [NewPolicy(1, AccountPolicy(senders_registered_only=True))], [1])
    refusal = await call(api, "RentKeyword")
    assert (grpc.StatusCode.FAILED_PRECONDITION, "SENDER_NOT_REGISTERED") == (refusal.code, refusal.reason)
