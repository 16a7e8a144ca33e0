"""ListProviders on the wire."""

from dataclasses import replace
from datetime import date

import grpc
import pytest

from broker.delivery.registry import Conduct, InstanceView, TypeView
from broker.delivery.upstream_usage import UpstreamReport
from broker.domain.health import CircuitState, HealthView
from broker.domain.throttle import ThrottleView
from broker.domain.vocabulary import Channel
from broker.spi import (
    Capabilities,
    Idempotency,
    KeywordKeeping,
    ReceiptMode,
    UpstreamBalance,
    UpstreamUsage,
)
from tests.unit.api.fakes import ADMIN
from waypost.v1 import provider_pb2, provider_service_pb2

LIST = "ProviderService/ListProviders"
CAPABILITIES = Capabilities(
    frozenset({Channel.EMAIL, Channel.SMS}), ReceiptMode.POLL, batch_max=7, idempotency=Idempotency.KEY
)


def instance(name, *, drained=False):
    return InstanceView(name=name, type="sandbox", capabilities=CAPABILITIES, drained=drained, in_flight=3)


async def list_providers(api, *, key="read-key", **fields):
    return await api.call(
        LIST,
        provider_service_pb2.ListProvidersRequest(**fields),
        provider_service_pb2.ListProvidersResponse,
        key=key,
    )


async def test_instances_and_types_are_told_by_name(api):
    """Every field; a broken plugin says why it could not be loaded."""
    api.registry.instances = [instance("b", drained=True), instance("a")]
    api.registry.types = [
        TypeView(name="sandbox", distribution="d", version="1", channels=frozenset({Channel.SMS}), error=""),
        TypeView(name="acme", distribution="e", version="2", channels=frozenset(), error="no module"),
    ]
    response = await list_providers(api)
    capabilities = provider_pb2.ProviderCapabilities(channels=[1, 3], batch_max=7, receipts=2, idempotency=1)
    assert [
        provider_pb2.Provider(name="a", type="sandbox", state=1, capabilities=capabilities, in_flight=3),
        provider_pb2.Provider(name="b", type="sandbox", state=2, capabilities=capabilities, in_flight=3),
    ] == list(response.providers)
    assert [
        provider_pb2.ProviderType(name="acme", distribution="e", version="2", error="no module"),
        provider_pb2.ProviderType(name="sandbox", distribution="d", version="1", channels=[1]),
    ] == list(response.types)


EVERYTHING = Capabilities(
    frozenset({Channel.SMS}),
    ReceiptMode.PUSH,
    sandbox=True,
    opt_in=True,
    balance=True,
    usage=True,
    senders=True,
    keywords=KeywordKeeping(frozenset({"80899", "80888"})),
    broadcast=True,
    broadcast_recipients_max=500,
)


@pytest.mark.parametrize(
    ("key", "addresses"), [("admin-key", ["80888", "80899"]), ("partner-key", []), ("read-key", [])]
)
async def test_what_an_instance_does_besides_messages_is_told(api, key, addresses):
    """To everybody; where it keeps keywords to admins only, for somebody may have registered such a sender."""
    api.registry.instances = [replace(instance("a"), capabilities=EVERYTHING)]
    (shown,) = (await list_providers(api, key=key)).providers
    expected = provider_pb2.ProviderCapabilities(
        channels=[1],
        batch_max=100,
        receipts=provider_pb2.RECEIPT_MODE_PUSH,
        idempotency=provider_pb2.IDEMPOTENCY_MODE_NONE,
        sandbox=True,
        opt_in=True,
        balance=True,
        usage=True,
        senders=True,
        keywords=True,
        keyword_addresses=addresses,
        broadcast=True,
        broadcast_recipients_max=500,
    )
    assert expected == shown.capabilities


async def test_a_limit_is_told_of_what_there_is(api):
    """An instance that runs no broadcasts takes none of any size."""
    api.registry.instances = [instance("a")]
    (shown,) = (await list_providers(api)).providers
    assert (False, 0) == (shown.capabilities.broadcast, shown.capabilities.broadcast_recipients_max)


async def test_the_conduct_of_an_instance_is_told(api):
    """Its circuit, what of it is known, and its rate; what is not known is absent."""
    health = HealthView(CircuitState.OPEN, 1_000_000, 2_500_000, 0.25, 0.5, 1.5)
    quiet = HealthView(CircuitState.CLOSED, 1_000_000, 0, None, None, None)
    api.registry.instances = [
        replace(instance("a"), conduct=Conduct(health, ThrottleView(20.0, 3.5, 4_000_000))),
        replace(instance("b"), conduct=Conduct(quiet, ThrottleView(None, 0.0, 0))),
    ]
    a, b = (await list_providers(api)).providers
    expected = provider_pb2.ProviderHealth(
        circuit=provider_pb2.CIRCUIT_STATE_OPEN,
        since_time={"seconds": 1},
        next_probe_time={"seconds": 2, "nanos": 500_000_000},
        success_rate=0.25,
        latency_p50={"nanos": 500_000_000},
        latency_p95={"seconds": 1, "nanos": 500_000_000},
    )
    throttle = provider_pb2.ProviderThrottle(
        segments_per_second_max=20, segments_per_second=3.5, held_until_time={"seconds": 4}
    )
    assert (expected, throttle) == (a.health, a.throttle)
    nothing = provider_pb2.ProviderHealth(
        circuit=provider_pb2.CIRCUIT_STATE_CLOSED, since_time={"seconds": 1}
    )
    assert (nothing, provider_pb2.ProviderThrottle()) == (b.health, b.throttle)


@pytest.mark.parametrize("key", ["admin-key", "partner-key", "send-key", "read-key"])
async def test_only_admins_see_callback_addresses(api, key):
    """Whoever knows one can report in the upstream's name."""
    api.registry.instances = [instance("a")]
    (shown,) = (await list_providers(api, key=key)).providers
    assert ("http://here/callbacks/a/secret" if key == "admin-key" else "") == shown.callback_url


async def test_pages_hold_every_instance_once_and_types_come_on_the_first_only(api):
    """The last page has no token."""
    api.registry.instances = [instance(name) for name in "abcde"]
    api.registry.types = [TypeView(name="t", distribution="", version="", channels=frozenset(), error="")]
    pages, token = [], ""
    while True:
        page = await list_providers(api, page_size=2, page_token=token)
        pages.append(("".join(each.name for each in page.providers), len(page.types)))
        token = page.next_page_token
        if not token:
            break
    assert [("ab", 1), ("cd", 0), ("e", 0)] == pages


@pytest.mark.parametrize("fields", [{"page_size": 1_001}, {"page_size": -1}, {"page_token": "x"}])
async def test_a_page_that_cannot_be_is_refused(api, fields):
    """With its field."""
    refusal = await list_providers(api, **fields)
    assert (grpc.StatusCode.INVALID_ARGUMENT, fields.keys()) == (refusal.code, refusal.violations.keys())


async def test_what_an_upstream_says_is_told_by_day(api):
    """For the days of the request, or the last thirty."""
    usage = (UpstreamUsage("all", 9), UpstreamUsage("sent", 3, date(2026, 3, 1)))
    api.upstreams.answer = UpstreamReport(UpstreamBalance(5, "EUR"), usage)
    asked = provider_service_pb2.GetUpstreamUsageRequest(
        name="acme", start_date="2026-03-01", end_date="2026-03-02"
    )
    answer = await api.call(
        "ProviderService/GetUpstreamUsage", asked, provider_service_pb2.GetUpstreamUsageResponse, ADMIN
    )
    expected = provider_service_pb2.GetUpstreamUsageResponse(
        balance={"amount_micros": 5, "currency": "EUR"},
        counts=[{"name": "all", "count": 9}, {"name": "sent", "count": 3, "day": "2026-03-01"}],
        tells_usage=True,
    )
    assert expected == answer
    await api.call(
        "ProviderService/GetUpstreamUsage",
        provider_service_pb2.GetUpstreamUsageRequest(name="acme"),
        None,
        ADMIN,
    )
    assert [
        ("acme", date(2026, 3, 1), date(2026, 3, 2)),
        ("acme", date(2026, 8, 23), date(2026, 9, 21)),
    ] == api.upstreams.calls


async def test_days_and_names_of_upstreams_are_checked(api):
    """With the field's name."""
    asked = provider_service_pb2.GetUpstreamUsageRequest(start_date="today")
    refusal = await api.call("ProviderService/GetUpstreamUsage", asked, key=ADMIN)
    assert ["name", "start_date"] == list(refusal.violations)
