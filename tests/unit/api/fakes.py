"""What stands behind the API in these tests, in place of the broker."""

# ruff: noqa: D102 -- a fake is documented where the real one is

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from broker.delivery.credits import Balance, Bought
from broker.delivery.history import IndexProgress, MessagePage, MessageQuery
from broker.delivery.prices import NOTHING_PRICED, StoredPrices
from broker.delivery.registry import InstanceView, TypeView
from broker.delivery.routes import NOTHING_STORED
from broker.delivery.upstream_usage import UpstreamReport
from broker.domain.access import Principal, Role
from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.domain.callback import Webhook
from broker.domain.encoding import Encoding
from broker.domain.explaining import Explanation
from broker.domain.lifecycle import State
from broker.domain.network import PUBLIC_ONLY
from broker.domain.prices import PriceRule, PriceTable, price_violations
from broker.domain.records import (
    EventFilter,
    MessageRecord,
    TimelineRecord,
)
from broker.domain.routes import Route, RouteTable, violations_of
from broker.domain.submission import Result, Submission
from broker.domain.usage import Usage, UsageQuery
from broker.domain.vocabulary import Channel
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Capabilities, ReceiptMode
from broker.storage.routing import StoredRoutes

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
class Fakes:
    """One of each that no test replaces."""

    intake: FakeIntake = field(default_factory=FakeIntake)
    feed: FakeFeed = field(default_factory=FakeFeed)
    history: FakeHistory = field(default_factory=FakeHistory)
    redriver: FakeRedriver = field(default_factory=FakeRedriver)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    webhooks: FakeWebhooks = field(default_factory=FakeWebhooks)
    routes: FakeRoutes = field(default_factory=FakeRoutes)
    usage: FakeUsage = field(default_factory=FakeUsage)
    credit: FakeCredits = field(default_factory=FakeCredits)
    prices: FakePrices = field(default_factory=FakePrices)
    upstreams: FakeUpstreams = field(default_factory=FakeUpstreams)
    policies: FakePolicies = field(default_factory=FakePolicies)
