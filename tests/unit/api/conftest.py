"""A real gRPC server on a loopback socket, with everything behind the API replaced by small fakes."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, cast

import grpc
import grpc.aio
import pytest
from hypothesis import settings

from broker.api.account_service import AccountService
from broker.api.broadcast_service import BroadcastService
from broker.api.broker_service import BrokerService
from broker.api.consent_service import ConsentService
from broker.api.directory_service import DirectoryService
from broker.api.gate import Gate
from broker.api.keyword_calls import KeywordCalls
from broker.api.message_service import MessageService
from broker.api.price_service import PriceService
from broker.api.provider_service import ProviderService
from broker.api.sender_calls import SenderCalls
from broker.api.sender_service import SenderService
from broker.api.server import build_health, build_server
from broker.api.template_service import TemplateService
from broker.delivery.key_rates import KeyRates
from broker.domain.encoding import Encoding
from broker.domain.lifecycle import Fact, State
from broker.domain.records import (
    EventRecord,
    Labels,
    MessageChange,
    MessageRecord,
)
from broker.domain.submission import Campaign
from broker.domain.vocabulary import Channel, Guarantee, Traffic
from broker.metrics import Metrics
from tests.unit.api.fakes import (
    NOW_US,
    OWN_ACCOUNT,
    EmptyDirectory,
    FakeClock,
    FakeKeys,
    Fakes,
)
from tests.unit.api.wire import Api
from waypost.v1 import send_pb2

settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def limits() -> dict[str, int]:
    """What a test may set otherwise before the server is built."""
    return {"calls_max": 100, "streams_max": 100, "frames_in_flight_max": 8}


@pytest.fixture
def directory() -> Any:
    """Behind DirectoryService: nobody, where a test is about something else."""
    return EmptyDirectory()


@pytest.fixture
def templates() -> Any:
    """Behind TemplateService: none, where a test is about something else."""
    return EmptyDirectory()


@pytest.fixture
def senders() -> Any:
    """Behind SenderService: none, where a test is about something else."""
    return EmptyDirectory()


@pytest.fixture
def accounts() -> Any:
    """Behind AccountService's calls about accounts: none, where a test is about something else."""
    return EmptyDirectory()


@pytest.fixture
def uploads() -> Any:
    """Behind BroadcastService's files: none, where a test is about something else."""
    return EmptyDirectory()


@pytest.fixture
def broadcasts() -> Any:
    """Behind BroadcastService: none, where a test is about something else."""
    return EmptyDirectory()


@pytest.fixture
def identities() -> Any:
    """Where new keys get their ids from."""
    return EmptyDirectory()


@pytest.fixture
def clock() -> Any:
    """What limits of keys are counted by."""
    return FakeClock()


@pytest.fixture
def keywords() -> Any:
    """Behind SenderService's calls about keywords: none, where a test is about something else."""
    return EmptyDirectory()


@pytest.fixture
def consents() -> Any:
    """Behind OptIn and ConsentService: nobody, where a test is about something else."""
    return EmptyDirectory()


@pytest.fixture
def keys() -> Any:
    """Who calls, unless a test has keys in a store."""
    return FakeKeys()


@pytest.fixture
def behind(
    directory: Any,
    templates: Any,
    consents: Any,
    senders: Any,
    accounts: Any,
    keywords: Any,
    identities: Any,
    broadcasts: Any,
    uploads: Any,
) -> dict[str, Any]:
    """What tests put behind the services, by name."""
    return {
        "directory": directory,
        "templates": templates,
        "consents": consents,
        "senders": senders,
        "accounts": accounts,
        "keywords": keywords,
        "identities": identities,
        "broadcasts": broadcasts,
        "uploads": uploads,
    }


@pytest.fixture
async def api(limits: dict[str, int], behind: dict[str, Any], keys: Any, clock: Any) -> AsyncIterator[Api]:
    """The server, listening."""
    frames_in_flight_max = limits.pop("frames_in_flight_max")
    gate = Gate(keys=keys, rates=KeyRates(clock), metrics=Metrics(), **limits)
    fakes, health = Fakes(), build_health()
    services = {
        **services_of_messages(gate, fakes, behind, frames_in_flight_max),
        **services_around_them(gate, fakes, behind, keys),
    }
    server = build_server(gate=gate, health_of=health, **services)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Api(
            gate=gate, keys=keys, health=health, server=server, channel=channel, port=port, **vars(fakes)
        )
    await server.stop(0)


def services_of_messages(
    gate: Gate, fakes: Fakes, behind: Mapping[str, Any], frames_in_flight_max: int
) -> dict[str, Any]:
    """Those by which messages are sent and found."""
    consent = ConsentService(
        gate=gate, consents=behind["consents"], policies=fakes.policies, clock=FakeClock()
    )
    return {
        "broker": BrokerService(
            gate=gate,
            intake=fakes.intake,
            feed=fakes.feed,
            usage=fakes.usage,
            consent=consent,
            clock=FakeClock(),
            frames_in_flight_max=frames_in_flight_max,
        ),
        "messages": MessageService(
            gate=gate,
            history=fakes.history,
            redriver=fakes.redriver,
            intake=cast("Any", fakes.intake),
            policies=fakes.policies,
        ),
        "broadcasts": BroadcastService(
            gate=gate, broadcasts=behind["broadcasts"], uploads=behind["uploads"], clock=FakeClock()
        ),
        "templates": TemplateService(gate=gate, templates=behind["templates"], policies=fakes.policies),
        "consent": consent,
    }


def services_around_them(gate: Gate, fakes: Fakes, behind: Mapping[str, Any], keys: Any) -> dict[str, Any]:
    """Those about who sends to whom, by which provider and for how much."""
    return {
        "directory": DirectoryService(gate=gate, directory=behind["directory"], policies=fakes.policies),
        "senders": SenderService(
            senders=SenderCalls(gate=gate, senders=behind["senders"]),
            keywords=KeywordCalls(gate=gate, keywords=behind["keywords"]),
        ),
        "accounts": AccountService(
            gate=gate,
            webhooks=fakes.webhooks,
            accounts=behind["accounts"],
            identities=behind["identities"],
            credit=fakes.credit,
        ),
        "prices": PriceService(prices=fakes.prices),
        "providers": ProviderService(
            registry=fakes.registry,
            routes=fakes.routes,
            keys=keys,
            callback_url_of=lambda name: f"http://here/callbacks/{name}/secret",
            upstreams=fakes.upstreams,
            clock=FakeClock(),
        ),
    }


@pytest.fixture
def sms() -> Callable[..., send_pb2.SendRequest]:
    """A SendRequest that is right, with whatever a test changes in it."""

    def build(**changes: Any) -> send_pb2.SendRequest:
        fields: dict[str, Any] = {
            "recipients": [{"phone_number": "+447700900123"}],
            "content": {"sms": {"text": "Your parcel is on its way"}},
        }
        return send_pb2.SendRequest(**(fields | changes))

    return build


@pytest.fixture
def event() -> EventRecord:
    """An event with every field set."""
    return EventRecord(
        account_id=OWN_ACCOUNT,
        sequence=77,
        time_us=NOW_US,
        message_id=123_456_789_012_345_678,
        change=MessageChange(
            fact=Fact.DEFERRED,
            state=State.PROCESSING,
            previous_state=State.ACCEPTED,
            detail="later",
            attempt=2,
            provider="sandbox",
            provider_message_ids=("a", "b"),
            part=1,
            provider_code="503",
            provider_text="busy",
            next_attempt_at_us=NOW_US + 1_500_000,
        ),
        recipient="+447700900123",
        sender="Shop",
        channel=Channel.SMS,
        units=3,
        client_reference="order-1",
        data="{}",
        labels=Labels(Campaign("spring", "Spring"), ("vip",), "crm", 5, redriven_from_message_id=6),
    )


@pytest.fixture
def record() -> MessageRecord:
    """A message with every field set."""
    return MessageRecord(
        message_id=1000,
        account_id=OWN_ACCOUNT,
        recipient="+447700900123",
        sender="Shop",
        channel=Channel.SMS,
        traffic=Traffic.PASSCODE,
        guarantee=Guarantee.AT_MOST_ONCE,
        state=State.SENT_FINAL,
        reason=None,
        encoding=Encoding.UCS2,
        units=2,
        provider="sandbox",
        attempts=3,
        accepted_at_us=NOW_US,
        transmit_at_us=NOW_US + 1,
        expire_at_us=NOW_US + 2,
        ended_at_us=NOW_US + 3,
        client_reference="order-1",
        data="{}",
        labels=Labels(Campaign("spring", "Spring"), ("vip",), "crm", 5, redriven_from_message_id=6),
        route_version=9,
        candidates=("sandbox", "second"),
        content={"text": "hello", "subject": "hi"},
        read_at_us=NOW_US + 4,
    )
