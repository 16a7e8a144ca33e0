"""UpdateProvider, ListRoutes and ReplaceRoutes on the wire."""

import grpc
import pytest

from broker.domain.ids import format_id
from broker.domain.routes import Route, RouteTable
from broker.domain.vocabulary import Channel, Traffic
from broker.storage.routing import StoredRoutes
from waypost.v1 import provider_service_pb2 as pb

REPLACE, LIST, UPDATE = (
    f"ProviderService/{name}" for name in ("ReplaceRoutes", "ListRoutes", "UpdateProvider")
)
OWN, MISSING = format_id(1), format_id(99)
FULL = {
    "name": "uk",
    "provider": "acme",
    "channels": [1, 2],
    "prefixes": ["447"],
    "countries": ["GB"],
    "senders": ["Shop"],
    "account_ids": [OWN],
    "tags": ["vip"],
    "traffic": [3],
    "priority": 2,
    "weight": 5,
    "cost_micros": 1_000_000_000_000,
}


async def replace(api, *routes, key="admin-key", **fields):
    request = pb.ReplaceRoutesRequest(routes=routes, **fields)
    return await api.call(REPLACE, request, pb.ReplaceRoutesResponse, key=key)


async def list_routes(api, key="admin-key", **fields):
    return await api.call(LIST, pb.ListRoutesRequest(**fields), pb.ListRoutesResponse, key=key)


async def update(api, key="admin-key", **fields):
    return await api.call(UPDATE, pb.UpdateProviderRequest(**fields), pb.UpdateProviderResponse, key=key)


async def test_every_field_of_a_route_arrives(api):
    """And is listed as it was given."""
    response = await replace(api, FULL)
    assert (1, 1) == (response.table.version, response.table.route_count)
    assert (
        Route(
            "uk",
            "acme",
            channels=(Channel.SMS, Channel.MMS),
            prefixes=("447",),
            countries=("GB",),
            senders=("Shop",),
            account_ids=(1,),
            tags=("vip",),
            traffic=(Traffic.PASSCODE,),
            priority=2,
            weight=5,
            cost_micros=1_000_000_000_000,
        ),
    ) == api.routes.stored[1].table.routes
    listed = await list_routes(api)
    assert [pb.ReplaceRoutesRequest(routes=[FULL]).routes[0]] == list(listed.routes)
    assert (response.table, 1) == (listed.table, listed.table.version)
    assert listed.table.HasField("create_time")


async def test_routes_are_spelt_in_one_way(api):
    """Prefixes, countries, tags; and a weight of 0 is 1."""
    route = {"name": "uk", "provider": "acme", "prefixes": ["+44"], "countries": ["gb"], "tags": [" VIP"]}
    await replace(api, route)
    (stored,) = api.routes.stored[1].table.routes
    assert (("44",), ("GB",), ("vip",), 1) == (stored.prefixes, stored.countries, stored.tags, stored.weight)


async def test_every_violation_is_told_with_its_path(api):
    """Of the words, of the accounts and of the rules, together; nothing is stored."""
    refusal = await replace(
        api,
        FULL | {"channels": [1, 9], "prefixes": ["x"], "countries": ["ZZ"]},
        FULL | {"provider": "nobody", "account_ids": ["?", MISSING], "traffic": [0], "weight": -1},
        expected_version=-1,
    )
    assert grpc.StatusCode.INVALID_ARGUMENT is refusal.code
    assert {
        "expected_version",
        "routes[0].channels[1]",
        "routes[0].prefixes[0]",
        "routes[0].countries[0]",
        "routes[1].name",
        "routes[1].provider",
        "routes[1].account_ids[0]",
        "routes[1].traffic[0]",
        "routes[1].weight",
    } <= refusal.violations.keys()
    assert 1 == len(api.routes.stored)


async def test_an_account_that_does_not_exist_is_named(api):
    """It would match nobody, silently."""
    refusal = await replace(api, FULL | {"account_ids": [OWN, MISSING]})
    assert {"routes[0].account_ids[1]": "is not an account of this broker"} == refusal.violations


async def test_more_than_10_000_routes_are_refused(api):
    """By their count alone."""
    refusal = await replace(api, *({"name": str(n), "provider": "acme"} for n in range(10_001)))
    assert (grpc.StatusCode.INVALID_ARGUMENT, {"routes"}) == (refusal.code, refusal.violations.keys())


async def test_another_version_than_expected_is_a_failed_precondition(api):
    """With the one that is in force."""
    refusal = await replace(api, FULL, expected_version=4)
    assert (grpc.StatusCode.FAILED_PRECONDITION, "ROUTES_CHANGED") == (refusal.code, refusal.reason)
    assert {"version": "0"} == dict(refusal.info.metadata)


async def test_a_check_answers_without_a_change(api):
    """The version stays."""
    response = await replace(api, FULL, validate_only=True)
    assert (0, 1) == (response.table.version, len(api.routes.stored))


async def test_pages_are_of_one_version(api):
    """Also when another is in force by then; the last page has no token."""
    await replace(api, *({"name": str(n), "provider": "acme"} for n in range(5)))
    page = await list_routes(api, page_size=2)
    await replace(api, expected_version=1)
    names = [each.name for each in page.routes]
    while page.next_page_token:
        page = await list_routes(api, page_size=2, page_token=page.next_page_token)
        assert 1 == page.table.version
        names += [each.name for each in page.routes]
    assert list("01234") == names
    assert 0 == len((await list_routes(api)).routes)
    assert 5 == len((await list_routes(api, version=1)).routes)


@pytest.mark.parametrize(
    "fields", [{"page_size": -1}, {"page_size": 1_001}, {"version": -1}, {"page_token": "x"}]
)
async def test_a_page_that_cannot_be_is_refused(api, fields):
    """With its field."""
    refusal = await list_routes(api, **fields)
    assert (grpc.StatusCode.INVALID_ARGUMENT, fields.keys()) == (refusal.code, refusal.violations.keys())


async def test_a_page_token_of_another_version_is_refused(api):
    """Rather than mix two versions."""
    await replace(api, FULL, FULL | {"name": "second"})
    page = await list_routes(api, page_size=1)
    refusal = await list_routes(api, version=2, page_token=page.next_page_token)
    assert {"page_token": "belongs to version 1"} == refusal.violations


async def test_a_version_that_is_not_kept_is_not_found(api):
    """With a reason of its own."""
    refusal = await list_routes(api, version=7)
    assert (grpc.StatusCode.NOT_FOUND, "ROUTES_NOT_FOUND") == (refusal.code, refusal.reason)


async def test_routes_of_the_settings_say_so(api):
    """They have no key, and the table says who owns it."""
    api.routes.stored.append(StoredRoutes(RouteTable(1, (Route("uk", "acme"),)), 0, 5))
    api.routes.owned_by_settings = True
    table = (await list_routes(api)).table
    assert (True, "") == (table.owned_by_settings, table.key_id)


async def test_an_instance_is_drained_and_enabled(api):
    """The answer has it as it is then."""
    drained = await update(api, name="acme", state=2)
    assert (2, {"acme": True}) == (drained.provider.state, api.routes.drained)
    enabled = await update(api, name="acme", state=1)
    assert (1, {"acme": False}) == (enabled.provider.state, api.routes.drained)


@pytest.mark.parametrize("fields", [{"name": "acme"}, {"name": "acme", "state": 9}])
async def test_a_state_that_is_none_is_refused(api, fields):
    """Nothing is drained by leaving it out."""
    refusal = await update(api, **fields)
    assert (grpc.StatusCode.INVALID_ARGUMENT, {"state"}) == (refusal.code, refusal.violations.keys())


async def test_an_unknown_instance_is_not_found(api):
    """With a reason of its own."""
    refusal = await update(api, name="nobody", state=2)
    assert (grpc.StatusCode.NOT_FOUND, "PROVIDER_NOT_FOUND") == (refusal.code, refusal.reason)


@pytest.mark.parametrize("key", ["partner-key", "send-key", "read-key"])
async def test_only_admins_see_and_change_routes_and_providers(api, key):
    """They are of all accounts."""
    refusals = [
        await replace(api, FULL, key=key),
        await list_routes(api, key=key),
        await update(api, key=key, name="acme", state=2),
    ]
    assert [(grpc.StatusCode.PERMISSION_DENIED, "ROLE_INSUFFICIENT")] * 3 == [
        (each.code, each.reason) for each in refusals
    ]
    assert ({}, 1) == (api.routes.drained, len(api.routes.stored))
