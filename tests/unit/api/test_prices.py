"""PriceService on the wire: versions in pages, every broken rule with its field, and who may change them."""

import grpc
import pytest

from tests.unit.api.fakes import ADMIN, PARTNER, READER
from waypost.v1 import price_service_pb2 as pb

WHOLE = {
    "provider": "acme",
    "channels": [1],
    "prefixes": ["+447", "1"],
    "countries": ["de"],
    "price": {"amount_micros": 50_000, "currency": "EUR"},
}


async def replaced(api, *rules, key=ADMIN, **fields):
    """The answer to rules in the place of the version that there is, or the refusal."""
    expected = {"expected_version": len(api.prices.stored) - 1}
    request = pb.ReplacePricesRequest(prices=rules, **(expected | fields))
    return await api.call("PriceService/ReplacePrices", request, pb.ReplacePricesResponse, key)


async def listed(api, key=READER, **fields):
    """A page, or the refusal."""
    return await api.call(
        "PriceService/ListPrices", pb.ListPricesRequest(**fields), pb.ListPricesResponse, key
    )


async def test_prices_come_back_as_they_are_kept(api):
    """Prefixes without a plus, countries in capitals, every price in the broker's currency."""
    answer = await replaced(api, WHOLE, {"price": {"amount_micros": 1}})
    assert (1, 2, "EUR") == (answer.table.version, answer.table.rule_count, answer.table.currency)
    page = await listed(api)
    normal = {**WHOLE, "prefixes": ["447", "1"], "countries": ["DE"]}
    anything = pb.PriceRule(price={"amount_micros": 1, "currency": "EUR"})
    assert [pb.PriceRule(**normal), anything] == list(page.prices)


async def test_other_things_have_prices_beside_messages(api):
    """The same rule may be there once for each."""
    rules = [{"price": {"amount_micros": 1 + item}, "item": item} for item in range(3)]
    assert 3 == (await replaced(api, *rules)).table.rule_count
    assert [0, 1, 2] == [each.item for each in (await listed(api)).prices]


async def test_a_version_is_read_page_by_page(api):
    """Also when another one is in force by then."""
    await replaced(api, *({"prefixes": [f"{number}"], "price": {}} for number in range(1, 6)))
    first = await listed(api, page_size=3)
    await replaced(api)
    second = await listed(api, page_size=3, page_token=first.next_page_token)
    assert [["1"], ["2"], ["3"]] == [list(each.prefixes) for each in first.prices]
    assert ([["4"], ["5"]], "") == ([list(each.prefixes) for each in second.prices], second.next_page_token)
    wrong = await listed(api, version=2, page_token=first.next_page_token)
    assert ["page_token"] == list(wrong.violations)


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ([{}], "prices[0].price"),
        ([{"price": {"currency": "USD"}}], "prices[0].price.currency"),
        ([{"price": {"amount_micros": -1}}], "prices[0].price.amount_micros"),
        ([{"price": {"amount_micros": 10**12 + 1}}], "prices[0].price.amount_micros"),
        ([{"price": {}, "provider": "nobody"}], "prices[0].provider"),
        ([{"price": {}, "channels": [9]}], "prices[0].channels[0]"),
        ([{"price": {}, "channels": [1, 1]}], "prices[0].channels[1]"),
        ([{"price": {}, "prefixes": ["0"]}], "prices[0].prefixes[0]"),
        ([{"price": {}, "countries": ["ZZ"]}], "prices[0].countries[0]"),
        ([{"price": {}, "channels": [3], "countries": ["GB"]}], "prices[0].countries"),
        ([{"price": {}}, {"price": {"amount_micros": 1}}], "prices[1]"),
        ([{"price": {}, "item": 9}], "prices[0].item"),
        ([{"price": {}, "item": 2, "provider": "acme"}], "prices[0].provider"),
        ([{"price": {}, "item": 2, "channels": [1]}], "prices[0].channels"),
        ([{"price": {}, "prefixes": ["44", "1"]}, {"price": {}, "prefixes": ["7", "+1"]}], "prices[1]"),
    ],
)
async def test_a_broken_rule_is_named(api, rules, field):
    """And nothing is stored."""
    refusal = await replaced(api, *rules)
    assert (grpc.StatusCode.INVALID_ARGUMENT, [field]) == (refusal.code, list(refusal.violations))
    assert 1 == len(api.prices.stored)


async def test_versions_that_are_not_there_or_not_in_force_are_told(api):
    """By reason."""
    assert "PRICES_NOT_FOUND" == (await listed(api, version=3)).reason
    assert "PRICES_CHANGED" == (await replaced(api, expected_version=5)).reason
    assert ["expected_version"] == list((await replaced(api, expected_version=-1)).violations)
    assert ["version"] == list((await listed(api, version=-1)).violations)


async def test_only_an_admin_replaces_prices_and_everybody_reads_them(api):
    """With validate_only nothing is stored."""
    assert "ROLE_INSUFFICIENT" == (await replaced(api, key=PARTNER)).reason
    assert 0 == (await replaced(api, WHOLE, validate_only=True)).table.version
    assert 0 == (await listed(api)).table.version
