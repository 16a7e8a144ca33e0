"""A real gRPC server on a loopback socket, with everything behind the API replaced by small fakes."""

# ruff: noqa: D102 -- a fake is documented where the real one is

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import settings

from broker.api.account_service import AccountService
from broker.api.broadcast_service import BroadcastService
from broker.api.broker_service import BrokerService
from broker.api.consent_service import ConsentService
from broker.api.directory_service import DirectoryService
from broker.api.gate import Gate
from broker.api.health import Health
from broker.api.keyword_calls import KeywordCalls
from broker.api.message_service import MessageService
from broker.api.price_service import PriceService
from broker.api.provider_service import ProviderService
from broker.api.sender_calls import SenderCalls
from broker.api.sender_service import SenderService
from broker.api.server import build_health, build_server
from broker.api.template_service import TemplateService
from broker.delivery.credits import Balance, Bought
from broker.delivery.history import IndexProgress, MessagePage, MessageQuery
from broker.delivery.key_rates import KeyRates
from broker.delivery.prices import NOTHING_PRICED, StoredPrices
from broker.delivery.registry import InstanceView, TypeView
from broker.delivery.routes import NOTHING_STORED
from broker.delivery.upstream_usage import UpstreamReport
from broker.domain.access import Principal, Role
from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.domain.callback import Webhook
from broker.domain.encoding import Encoding
from broker.domain.explaining import Explanation
from broker.domain.lifecycle import Fact, State
from broker.domain.network import PUBLIC_ONLY
from broker.domain.prices import PriceRule, PriceTable, price_violations
from broker.domain.records import (
    EventFilter,
    EventRecord,
    Labels,
    MessageChange,
    MessageRecord,
    TimelineRecord,
)
from broker.domain.routes import Route, RouteTable, violations_of
from broker.domain.submission import Campaign, Result, Submission
from broker.domain.usage import Usage, UsageQuery
from broker.domain.vocabulary import Channel, Guarantee, Traffic
from broker.errors import BrokerError, ErrorReason, Violation
from broker.metrics import Metrics
from broker.spi import Capabilities, ReceiptMode
from broker.storage.routing import StoredRoutes
from waypost.v1 import send_pb2

settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")

NOW_US = 1_790_000_000_000_000
ADMIN, PARTNER, SENDER, READER = "admin-key", "partner-key", "send-key", "read-key"
OWN_ACCOUNT, OTHER_ACCOUNT, CUSTOMER_ACCOUNT = 1, 2, 4


class FakeClock:
    """Stands still."""

    def now_us(self) -> int:
        return NOW_US

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class FakeKeys:
    """One key for each role, all of the account 1, which account 4 is below of; account 2 exists as well."""

    def __init__(self) -> None:
        roles = {ADMIN: Role.ADMIN, PARTNER: Role.PARTNER, SENDER: Role.SEND, READER: Role.READ}
        self.principals = {
            secret: Principal(number, OWN_ACCOUNT, role)
            for number, (secret, role) in enumerate(roles.items())
        }

    async def authenticate(self, secret: str) -> Principal | None:
        return self.principals.get(secret)

    async def account_exists(self, account_id: int) -> bool:
        return account_id in {OWN_ACCOUNT, OTHER_ACCOUNT, CUSTOMER_ACCOUNT}

    async def may_act_for(self, caller: Principal, account_id: int) -> bool:
        if caller.role is Role.ADMIN:
            return await self.account_exists(account_id)
        return account_id == OWN_ACCOUNT or (caller.may_choose_account and account_id == CUSTOMER_ACCOUNT)


def accepted(submission: Submission) -> Sequence[Result]:
    return [
        Result(
            index,
            1000 + index,
            State.ACCEPTED,
            recipient.phone_number or "",
            Channel.SMS,
            NOW_US,
            submission.client_reference,
            1,
            Encoding.GSM7,
        )
        for index, recipient in enumerate(submission.recipients)
    ]


class FakeIntake:
    """Accepts everything unless told otherwise; remembers what it was given, batch by batch."""

    def __init__(self) -> None:
        self.batches: list[Sequence[Submission]] = []
        self.answer: Callable[[Submission], Sequence[Result] | BrokerError] = accepted
        self.failure: Exception | None = None
        self.before: Callable[[Sequence[Submission]], Any] | None = None
        self.explained: list[Submission] = []
        self.explanations: Sequence[Explanation] = ()
        self.units_max: int | None = None

    async def accept(self, submissions: Sequence[Submission]) -> list[Sequence[Result] | BrokerError]:
        self.batches.append(submissions)
        if self.before is not None:
            await self.before(submissions)
        if self.failure is not None:
            raise self.failure
        return [self.answer(each) for each in submissions]

    async def explain(self, submission: Submission, *, units_max: int | None = None) -> Sequence[Explanation]:
        self.units_max = units_max
        self.explained.append(submission)
        if self.failure is not None:
            raise self.failure
        return self.explanations


class FakeFeed:
    """Gives its frames and then fails, ends, or waits for ever."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, Any, EventFilter, float]] = []
        self.frames: list[bytes] = []
        self.failure: Exception | None = None
        self.waits = False
        self.closed = asyncio.Event()

    async def follow(
        self, account_id: int, start: Any, event_filter: EventFilter, heartbeat_s: float
    ) -> AsyncIterator[bytes]:
        self.calls.append((account_id, start, event_filter, heartbeat_s))
        try:
            for frame in self.frames:
                yield frame
            if self.failure is not None:
                raise self.failure
            if self.waits:
                await asyncio.Event().wait()
        finally:
            self.closed.set()


class FakeHistory:
    """Has the messages it is given."""

    def __init__(self) -> None:
        self.records: dict[tuple[int, int], MessageRecord] = {}
        self.timeline: Sequence[TimelineRecord] = ()
        self.queries: list[MessageQuery] = []
        self.next_before_id: int | None = None
        self.index = IndexProgress(7, NOW_US, 2, whole=True)
        self.refusal: Exception | None = None
        self.marks: list[bool] = []

    async def message(
        self, account_id: int, message_id: int
    ) -> tuple[MessageRecord, Sequence[TimelineRecord]] | None:
        record = self.records.get((account_id, message_id))
        return None if record is None else (record, self.timeline)

    async def page(self, query: MessageQuery) -> MessagePage:
        self.queries.append(query)
        mine = [record for (account, _), record in self.records.items() if account == query.account_id]
        return MessagePage(mine, self.next_before_id, self.index)

    async def cancel(self, account_id: int, message_id: int) -> MessageRecord:
        return self._found(account_id, message_id)

    async def delete(self, account_id: int, message_id: int) -> MessageRecord:
        return self._found(account_id, message_id)

    async def mark(self, account_id: int, message_id: int, *, read: bool) -> MessageRecord:
        self.marks.append(read)
        return self._found(account_id, message_id)

    def _found(self, account_id: int, message_id: int) -> MessageRecord:
        if self.refusal is not None:
            raise self.refusal
        record = self.records.get((account_id, message_id))
        if record is None:
            raise BrokerError(ErrorReason.MESSAGE_NOT_FOUND)
        return record


class FakeRedriver:
    """Remembers what it was asked for, and has one answer."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, str, int | None]] = []
        self.answer: MessageRecord | None = None

    async def redrive(
        self, account_id: int, message_id: int, request_id: str, validity_us: int | None
    ) -> MessageRecord:
        self.calls.append((account_id, message_id, request_id, validity_us))
        if self.answer is None:
            raise BrokerError(ErrorReason.MESSAGE_NOT_FOUND)
        return self.answer


class FakeUsage:
    """Has one answer, and remembers what was asked."""

    def __init__(self) -> None:
        self.queries: list[UsageQuery] = []
        self.answer = Usage({}, 0)

    async def report(self, query: UsageQuery) -> Usage:
        self.queries.append(query)
        return self.answer


class FakeCredits:
    """Every account has 7 units; purchases and transfers are remembered."""

    def __init__(self) -> None:
        self.currency = "EUR"
        self.purchase_micros_min = 5_000_000
        self.calls: list[tuple[Any, ...]] = []
        self.failure: BrokerError | None = None

    async def balance(self, account_id: int) -> Balance:
        self.calls.append((account_id,))
        return Balance(7_000_000, 2, 1, "EUR" if account_id == OWN_ACCOUNT else "")

    async def purchase(self, account_id: int, request_id: str, micros: int, token: str) -> Bought:
        self.calls.append((account_id, request_id, micros, token))
        if self.failure is not None:
            raise self.failure
        return Bought(9, "ref", Balance(micros, 0, 0, "EUR"))

    async def transfer(
        self, account_id: int, other_account_id: int, request_id: str, micros: int
    ) -> tuple[Balance, Balance]:
        self.calls.append((account_id, other_account_id, request_id, micros))
        return Balance(1, 0, 0, "EUR"), Balance(micros, 0, 0, "EUR")


class FakeUpstreams:
    """Has one answer, and remembers what was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, date, date]] = []
        self.answer = UpstreamReport(None, None)

    async def report(self, name: str, first: date, last: date) -> UpstreamReport:
        self.calls.append((name, first, last))
        return self.answer


class FakePrices:
    """Keeps what it is given as the next version; the only instance is "acme", for SMS."""

    def __init__(self) -> None:
        self.currency = "EUR"
        self.stored = [NOTHING_PRICED]

    async def version(self, number: int) -> StoredPrices:
        if number >= len(self.stored):
            raise BrokerError(ErrorReason.PRICES_NOT_FOUND)
        return self.stored[number or -1]

    def violations(self, rules: tuple[PriceRule, ...]) -> list[Violation]:
        return price_violations(rules, {"acme": {Channel.SMS}})

    async def replace(
        self, rules: tuple[PriceRule, ...], expected_version: int, key_id: int, *, validate_only: bool
    ) -> StoredPrices:
        if expected_version != len(self.stored) - 1:
            raise BrokerError(ErrorReason.PRICES_CHANGED)
        if not validate_only:
            self.stored.append(StoredPrices(PriceTable(len(self.stored), rules, "EUR"), key_id, NOW_US))
        return self.stored[-1]


class FakeRegistry:
    """Has the instances and types it is given."""

    def __init__(self) -> None:
        self.instances: Sequence[InstanceView] = ()
        self.types: Sequence[TypeView] = ()


class EmptyDirectory:
    """Has nobody to tell about."""

    def __getattr__(self, name: str) -> Any:
        async def refuse(*_arguments: Any, **_options: Any) -> None:
            raise BrokerError(ErrorReason.CONTACT_NOT_FOUND)

        return refuse


class FakeWebhooks:
    """Keeps what it is given; account 1 has no webhook of another's."""

    def __init__(self) -> None:
        self.network = PUBLIC_ONLY
        self.webhooks: list[Webhook] = []
        self.overlaps_us: list[int] = []
        self.failure: BrokerError | None = None

    async def create(self, account_id: int, url: str, **wishes: Any) -> tuple[Webhook, str]:
        if self.failure is not None:
            raise self.failure
        webhook = Webhook(
            webhook_id=7 + len(self.webhooks),
            account_id=account_id,
            url=url,
            created_at_us=NOW_US,
            **{name: tuple(wish) if isinstance(wish, list) else wish for name, wish in wishes.items()},
        )
        self.webhooks.append(webhook)
        return webhook, "whsec_c2VjcmV0"

    async def list(self, account_id: int) -> Sequence[Webhook]:
        return [each for each in self.webhooks if each.account_id == account_id]

    async def rotate(self, account_id: int, webhook_id: int, overlap_us: int) -> tuple[str, int]:
        self._find(account_id, webhook_id)
        self.overlaps_us.append(overlap_us)
        return f"whsec_{webhook_id}", NOW_US + overlap_us

    async def delete(self, account_id: int, webhook_id: int) -> None:
        self.webhooks.remove(self._find(account_id, webhook_id))

    def _find(self, account_id: int, webhook_id: int) -> Any:
        if not webhook_id:
            return None
        for each in self.webhooks:
            if (each.account_id, each.webhook_id) == (account_id, webhook_id):
                return each
        raise BrokerError(ErrorReason.WEBHOOK_NOT_FOUND)


class FakeRoutes:
    """Keeps what it is given as the next version; instances are "acme" for SMS and "post" for email."""

    def __init__(self) -> None:
        self.stored = [NOTHING_STORED]
        self.owned_by_settings = False
        self.drained: dict[str, bool] = {}

    async def version(self, number: int) -> StoredRoutes:
        if number >= len(self.stored):
            raise BrokerError(ErrorReason.ROUTES_NOT_FOUND)
        return self.stored[number or -1]

    def violations(self, routes: Sequence[Route]) -> list[Violation]:
        return violations_of(routes, {"acme": {Channel.SMS}, "post": {Channel.EMAIL}})

    async def replace(
        self, routes: tuple[Route, ...], expected_version: int, key_id: int, *, validate_only: bool
    ) -> StoredRoutes:
        if expected_version != len(self.stored) - 1:
            raise BrokerError(ErrorReason.ROUTES_CHANGED, metadata={"version": str(len(self.stored) - 1)})
        if not validate_only:
            self.stored.append(StoredRoutes(RouteTable(len(self.stored), routes), key_id, NOW_US))
        return self.stored[-1]

    async def update_provider(self, name: str, *, drained: bool) -> InstanceView:
        if name != "acme":
            raise BrokerError(ErrorReason.PROVIDER_NOT_FOUND)
        self.drained[name] = drained
        able = Capabilities(frozenset({Channel.SMS}), ReceiptMode.PUSH)
        return InstanceView(name, "acme", able, drained=drained, in_flight=0)


@dataclass
class Refusal:
    """An error as a client sees it, its details decoded from the trailer."""

    code: grpc.StatusCode
    message: str
    trailer_bytes: int
    info: error_details_pb2.ErrorInfo | None = None
    retry: error_details_pb2.RetryInfo | None = None
    bad_request: error_details_pb2.BadRequest | None = None
    quota: error_details_pb2.QuotaFailure | None = None
    precondition: error_details_pb2.PreconditionFailure | None = None

    @property
    def reason(self) -> str:
        return self.info.reason if self.info else ""

    @property
    def violations(self) -> dict[str, str]:
        given = self.bad_request.field_violations if self.bad_request else ()
        return {each.field: each.description for each in given}


DETAILS = {
    "info": error_details_pb2.ErrorInfo,
    "retry": error_details_pb2.RetryInfo,
    "bad_request": error_details_pb2.BadRequest,
    "quota": error_details_pb2.QuotaFailure,
    "precondition": error_details_pb2.PreconditionFailure,
}


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    trailer = error.trailing_metadata()
    packed: bytes = b"" if trailer is None else trailer.get("grpc-status-details-bin", b"")
    refusal = Refusal(error.code(), error.details() or "", len(packed))
    for detail in status_pb2.Status.FromString(packed).details:
        for name, kind in DETAILS.items():
            if detail.Is(kind.DESCRIPTOR):
                unpacked = kind()
                detail.Unpack(unpacked)
                setattr(refusal, name, unpacked)
    return refusal


class FakePolicies:
    """Account 1 shortens links by itself; `region` is whose national numbers it takes."""

    def __init__(self) -> None:
        self.region = ""

    async def of(self, account_ids):
        policy = AccountPolicy(self.region, link_domains=("go.example.org",), track_links=True)
        return {each: policy if each == 1 else NO_POLICY for each in account_ids}

    async def region_of(self, account_id):
        return (await self.of((account_id,)))[account_id].default_region


@dataclass
class Api:
    """A running server, what is behind it, and a client's side of the wire."""

    gate: Gate
    keys: FakeKeys
    intake: FakeIntake
    feed: FakeFeed
    history: FakeHistory
    redriver: FakeRedriver
    registry: FakeRegistry
    webhooks: FakeWebhooks
    routes: FakeRoutes
    usage: FakeUsage
    credit: FakeCredits
    prices: FakePrices
    upstreams: FakeUpstreams
    health: Health
    server: grpc.aio.Server
    channel: grpc.aio.Channel
    port: int
    policies: FakePolicies

    def metadata(self, key: str | None) -> tuple[tuple[str, str], ...]:
        return () if key is None else (("authorization", f"Bearer {key}"),)

    async def call(self, method: str, request: Any, response: Any = None, key: str | None = SENDER) -> Any:
        """A unary call: the response, or a Refusal. A request of bytes goes out as it is."""
        rpc = self.channel.unary_unary(
            f"/waypost.v1.{method}", _to_bytes, None if response is None else response.FromString
        )
        try:
            return await rpc(request, metadata=self.metadata(key), timeout=10)
        except grpc.aio.AioRpcError as error:
            return refusal_of(error)

    def stream(self, method: str, request: Any, response: Any = None, key: str | None = SENDER) -> Any:
        """An open server stream."""
        rpc = self.channel.unary_stream(
            f"/waypost.v1.{method}", _to_bytes, None if response is None else response.FromString
        )
        return rpc(request, metadata=self.metadata(key), timeout=10)

    def converse(self, method: str, response: Any = None, key: str | None = SENDER) -> Any:
        """An open bidirectional stream."""
        rpc = self.channel.stream_stream(
            f"/waypost.v1.{method}", _to_bytes, None if response is None else response.FromString
        )
        return rpc(metadata=self.metadata(key), timeout=10)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what only shows on the server's side."""
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - nobody announces it
                await asyncio.sleep(0.01)

    async def drained(self, stream: Any) -> tuple[list[Any], Refusal | None]:
        """All that a stream brings, and how it ended badly if it did."""
        received = []
        try:
            while (each := await stream.read()) is not grpc.aio.EOF:
                received.append(each)
        except grpc.aio.AioRpcError as error:
            return received, refusal_of(error)
        return received, None


def _to_bytes(request: Any) -> bytes:
    return request if isinstance(request, bytes) else request.SerializeToString()


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
async def api(
    limits: dict[str, int],
    directory: Any,
    templates: Any,
    consents: Any,
    senders: Any,
    accounts: Any,
    keywords: Any,
    keys: Any,
    identities: Any,
    clock: Any,
    broadcasts: Any,
    uploads: Any,
) -> AsyncIterator[Api]:
    """The server, listening."""
    intake, feed, history, redriver, registry = (
        FakeIntake(),
        FakeFeed(),
        FakeHistory(),
        FakeRedriver(),
        FakeRegistry(),
    )
    policies = FakePolicies()
    webhooks = FakeWebhooks()
    routes = FakeRoutes()
    usage = FakeUsage()
    credit = FakeCredits()
    prices = FakePrices()
    upstreams = FakeUpstreams()
    frames_in_flight_max = limits.pop("frames_in_flight_max")
    gate = Gate(keys=keys, rates=KeyRates(clock), metrics=Metrics(), **limits)
    health = build_health()
    consent = ConsentService(gate=gate, consents=consents, policies=policies, clock=FakeClock())
    server = build_server(
        gate=gate,
        broker=BrokerService(
            gate=gate,
            intake=intake,
            feed=feed,
            usage=usage,
            consent=consent,
            clock=FakeClock(),
            frames_in_flight_max=frames_in_flight_max,
        ),
        messages=MessageService(
            gate=gate, history=history, redriver=redriver, intake=cast("Any", intake), policies=policies
        ),
        broadcasts=BroadcastService(gate=gate, broadcasts=broadcasts, uploads=uploads, clock=FakeClock()),
        providers=ProviderService(
            registry=registry,
            routes=routes,
            keys=keys,
            callback_url_of=lambda name: f"http://here/callbacks/{name}/secret",
            upstreams=upstreams,
            clock=FakeClock(),
        ),
        directory=DirectoryService(gate=gate, directory=directory, policies=policies),
        templates=TemplateService(gate=gate, templates=templates, policies=policies),
        senders=SenderService(
            senders=SenderCalls(gate=gate, senders=senders),
            keywords=KeywordCalls(gate=gate, keywords=keywords),
        ),
        accounts=AccountService(
            gate=gate, webhooks=webhooks, accounts=accounts, identities=identities, credit=credit
        ),
        prices=PriceService(prices=prices),
        consent=consent,
        health_of=health,
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Api(
            gate,
            keys,
            intake,
            feed,
            history,
            redriver,
            registry,
            webhooks,
            routes,
            usage,
            credit,
            prices,
            upstreams,
            health,
            server,
            channel,
            port,
            policies,
        )
    await server.stop(0)


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
