"""Broadcasts that an upstream runs: handed over once, moved there, and asked how far they are."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from broker.delivery.broadcasts.control import Broadcasts
from broker.delivery.broadcasts.expander import Expander
from broker.delivery.broadcasts.upstream import UpstreamBroadcasts
from broker.delivery.identities import Identities
from broker.delivery.intake import Intake
from broker.delivery.policies import Policies
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.domain.broadcast import Broadcast, BroadcastState, Move, Wish
from broker.domain.consent import Act, ConsentChange, ConsentSource
from broker.domain.lifecycle import State
from broker.domain.outcome import NotAccepted, Rejected, Unknown
from broker.domain.submission import Content, Recipient
from broker.domain.upstream_broadcast import LEAD_US, BroadcastMoved, UpstreamBroadcast
from broker.domain.vocabulary import Channel, Reason, Traffic
from broker.errors import BrokerError, ErrorReason
from broker.spi import Capabilities, ReceiptMode
from broker.storage.consenting import record_consent
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.store import Store
from broker.testing.builders import SECOND_US, ManualClock, phones, sms, submission
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite import Bench
from broker.testing.store_suite.crediting import PAYING

S = BroadcastState
TIMEOUT_S = 0.2


class Campaigns(ScriptedProvider):
    """An upstream that runs broadcasts: it plays `answers` call by call, and keeps what it was told."""

    def __init__(self, recipients_max: int = 100) -> None:
        super().__init__()
        self._capabilities = Capabilities(
            frozenset({Channel.SMS}),
            ReceiptMode.NONE,
            broadcast=True,
            broadcast_recipients_max=recipients_max,
        )
        self.answers: deque[Any] = deque()
        self.orders: list[Any] = []
        self.questions: list[Any] = []
        self.told: list[tuple[str, str]] = []
        self.hung = asyncio.Event()

    async def broadcast_create(self, order: Any) -> Any:
        """The next of `answers`, or that it runs."""
        self.orders.append(order)
        return await self._next(UpstreamBroadcast("up-1", S.RUNNING))

    async def broadcast_get(self, question: Any) -> Any:
        """The next of `answers`, or that it runs."""
        self.questions.append(question)
        return await self._next(UpstreamBroadcast("up-1", S.RUNNING))

    async def broadcast_suspend(self, upstream_id: str) -> Any:
        """The next of `answers`, or done."""
        self.told.append(("suspend", upstream_id))
        return await self._next(BroadcastMoved())

    async def broadcast_resume(self, upstream_id: str) -> Any:
        """The same."""
        self.told.append(("resume", upstream_id))
        return await self._next(BroadcastMoved())

    async def broadcast_stop(self, upstream_id: str) -> Any:
        """The same."""
        self.told.append(("stop", upstream_id))
        return await self._next(BroadcastMoved())

    async def broadcast_delete(self, upstream_id: str) -> Any:
        """The same."""
        self.told.append(("delete", upstream_id))
        return await self._next(BroadcastMoved())

    async def _next(self, usual: Any) -> Any:
        answer = self.answers.popleft() if self.answers else usual
        if isinstance(answer, Exception):
            raise answer
        if answer == HANGS:
            self.hung.set()
            await asyncio.sleep(60)
        return answer


HANGS = "hangs"


@dataclass
class Desk:
    """A caller's side and the background of one broker, over one store."""

    control: Broadcasts
    expander: Expander
    upstream: UpstreamBroadcasts
    campaigns: Campaigns
    bench: Bench
    clock: ManualClock
    asked: dict[bytes, Wish]

    async def make(self, *recipients: Recipient, **changes: Any) -> Broadcast:
        """Make a broadcast for the upstream to run."""
        own = {name: changes.pop(name) for name in list(changes) if name in Wish.__match_args__}
        provider = own.setdefault("upstream_provider", "campaigns")
        asked = submission(recipients=recipients, traffic=Traffic.PROMOTIONAL, provider=provider, **changes)
        wish = Wish(submission=asked, **own)
        request = str(len(self.asked)).encode()
        self.asked[request] = wish
        return await self.control.create(wish, request)

    async def work(self, seconds: float = 0) -> None:
        """Let time pass, and the background do all that is due then."""
        self.clock.advance(seconds)
        self.bench.now_us = self.clock.now_us()
        for _ in range(20):
            while await self.expander.round() <= 0:
                pass
            await self.upstream.round()
            await self.upstream.settled()

    async def now(self, broadcast: Broadcast) -> Broadcast:
        """As it is."""
        return await self.control.get(broadcast.account_id, broadcast.broadcast_id)

    async def move(self, broadcast: Broadcast, wish: Move) -> Broadcast:
        """As it is after a move."""
        return await self.control.move(broadcast.account_id, broadcast.broadcast_id, wish)

    async def refused(self, broadcast: Broadcast, wish: Move) -> ErrorReason:
        """Why a move was refused."""
        with pytest.raises(BrokerError) as error:
            await self.move(broadcast, wish)
        return error.value.reason


@pytest.fixture
def new_desk(store: Store, clock: ManualClock, bench: Bench) -> Callable[..., Desk]:
    """Makes a desk as a process would after a start; what was asked for is the same."""
    identities = Identities(store, clock, node=0, last=0)
    asked: dict[bytes, Wish] = {}

    def make(campaigns: Campaigns | None = None) -> Desk:
        campaigns = campaigns or Campaigns()
        registry = scripted_registry(acme=ScriptedProvider(), campaigns=campaigns)
        policies = Policies(store, clock)
        intake = Intake(
            store,
            identities,
            Routes(store, registry, clock, RouteHook((), clock)),
            Templates(store, identities, clock, templates_max=10),
            policies,
            Senders(store, identities, clock, providers=()),
            clock,
            units_max=3,
            request_id_memory_s=86_400.0,
        )
        expander = Expander(
            store,
            identities,
            intake,
            policies,
            clock,
            decode=lambda stored, _account_id: asked[stored],
            batch_max=10,
            ahead_max=1_000,
        )
        upstream = UpstreamBroadcasts(
            store, registry, clock, plan=expander.plan, wish=expander.wish, timeout_s=TIMEOUT_S, poll_s=10.0
        )
        control = Broadcasts(
            store,
            identities,
            intake,
            clock,
            upstream,
            request_id_memory_s=86_400.0,
            active_max=10,
            hint=expander.hint,
        )
        return Desk(control, expander, upstream, campaigns, bench, clock, asked)

    return make


@pytest.fixture
def desk(new_desk: Callable[..., Desk]) -> Desk:
    """With an upstream that takes all."""
    return new_desk()


async def test_a_broadcast_is_handed_over_whole(desk: Desk) -> None:
    """Once, with every recipient; its counters and its end come from the upstream."""
    made = await desk.make(*phones(25), name="spring", sender="70555", content=sms("Hello"))
    await desk.work()
    (order,) = desk.campaigns.orders
    assert [each.phone_number for each in phones(25)] == [each.recipient for each in order.recipients]
    assert [sms("Hello").documents[Channel.SMS]] * 25 == [each.content for each in order.recipients]
    assert ("spring", "70555", Channel.SMS, None) == (
        order.name,
        order.sender,
        order.channel,
        order.schedule_at_us,
    )
    now = await desk.now(made)
    assert (S.RUNNING, 25, "up-1") == (now.state, now.progress.accepted, await desk.control.upstream_id(now))
    desk.campaigns.answers += [UpstreamBroadcast("", S.COMPLETED, sent=25)]
    await desk.work(10)
    now = await desk.now(made)
    assert (S.COMPLETED, 25) == (now.state, now.progress.sent)
    assert 1 == len(desk.campaigns.orders)
    assert [] == desk.campaigns.submitted


async def test_each_recipient_is_told_their_own(desk: Desk) -> None:
    """Placeholders are filled in before; those whose value is missing are refused apart."""
    content = Content({Channel.SMS: {"text": "Hello $name$ of $town$"}}, frozenset({"name", "town"}))
    people = [
        Recipient(phone_number=f"+44770090{number:04d}", tokens={"name": name})
        for number, name in enumerate(("Ada", "Bo"))
    ]
    await desk.make(*people, content=content, tokens={"town": "Ur"})
    await desk.work()
    (order,) = desk.campaigns.orders
    assert ["Hello Ada of Ur", "Hello Bo of Ur"] == [each.content["text"] for each in order.recipients]


async def test_who_cannot_have_it_is_counted_apart(desk: Desk) -> None:
    """Opted out, no number, twice in the audience: none of them is handed over."""
    out, twice, good = phones(3)
    change = ConsentChange(
        account_id=1,
        sender="",
        recipient=str(out.phone_number),
        act=Act.OPT_OUT,
        source=ConsentSource.CALL,
        at_us=desk.clock.now_us(),
    )
    await desk.bench.store.write(record_consent, [change], [1])
    bad = Recipient(phone_number="12")
    made = await desk.make(out, bad, twice, twice, good, sender="")
    await desk.work()
    (order,) = desk.campaigns.orders
    assert [twice.phone_number, good.phone_number] == [each.recipient for each in order.recipients]
    now = await desk.now(made)
    progress = now.progress
    assert (4, 1, 2, 2) == (progress.expected, progress.duplicates, progress.accepted, progress.refused)
    assert {(Reason.OPTED_OUT, 1), (Reason.INVALID_RECIPIENT, 1)} == set(
        await desk.control.refusals(now.broadcast_id)
    )
    (page,) = await desk.bench.pages(broadcast_ids=frozenset({now.broadcast_id}))
    assert [State.REJECTED] * 2 == [(await desk.bench.message(each)).state for each in page]


async def test_one_with_a_time_is_handed_over_a_little_before_it(desk: Desk) -> None:
    """With that time; its upstream starts it."""
    at_us = desk.clock.now_us() + LEAD_US + 10 * SECOND_US
    made = await desk.make(*phones(1), schedule_at_us=at_us)
    await desk.work()
    assert S.SCHEDULED is (await desk.now(made)).state
    assert [] == desk.campaigns.orders
    desk.campaigns.answers.append(UpstreamBroadcast("up-1", S.SCHEDULED))
    desk.campaigns.answers.append(UpstreamBroadcast("up-1", S.SCHEDULED))
    await desk.work(10)
    assert [at_us] == [each.schedule_at_us for each in desk.campaigns.orders]
    assert S.SCHEDULED is (await desk.now(made)).state
    await desk.work(10)
    assert S.RUNNING is (await desk.now(made)).state


async def test_one_that_is_started_early_starts_at_once(desk: Desk) -> None:
    """Whatever its time was."""
    made = await desk.make(*phones(1), schedule_at_us=desk.clock.now_us() + 10 * LEAD_US)
    await desk.move(made, Move.START)
    await desk.work()
    assert [None] == [each.schedule_at_us for each in desk.campaigns.orders]


@pytest.mark.parametrize(
    ("wish", "call", "state", "first"),
    [
        (Move.SUSPEND, "suspend", S.SUSPENDED, S.RUNNING),
        (Move.RESUME, "resume", S.RUNNING, S.SUSPENDED),
        (Move.STOP, "stop", S.STOPPED, S.RUNNING),
        (Move.DELETE, "delete", S.DELETED, S.RUNNING),
    ],
)
async def test_its_upstream_is_told_of_each_move(
    desk: Desk, wish: Move, call: str, state: BroadcastState, first: BroadcastState
) -> None:
    """And it stands there once that is done."""
    desk.campaigns.answers += [UpstreamBroadcast("up-1", first)] * 2
    made = await desk.make(*phones(1))
    await desk.work()
    assert state is (await desk.move(made, wish)).state
    assert [(call, "up-1")] == desk.campaigns.told
    assert state is (await desk.now(made)).state


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Rejected(code="NO"), ErrorReason.UPSTREAM_REFUSED),
        (NotAccepted(), ErrorReason.UPSTREAM_UNAVAILABLE),
        (Unknown(), ErrorReason.UPSTREAM_UNAVAILABLE),
        (HANGS, ErrorReason.UPSTREAM_UNAVAILABLE),
        (RuntimeError(), ErrorReason.UPSTREAM_UNAVAILABLE),
        (7, ErrorReason.UPSTREAM_UNAVAILABLE),
    ],
    ids=str,
)
async def test_what_an_upstream_did_not_do_is_said(desk: Desk, answer: Any, reason: ErrorReason) -> None:
    """The broadcast stays where it is, and can be moved afterwards."""
    made = await desk.make(*phones(1))
    await desk.work()
    desk.campaigns.answers.append(answer)
    assert reason is await desk.refused(made, Move.SUSPEND)
    assert S.RUNNING is (await desk.now(made)).state
    await desk.work(10)
    assert S.SUSPENDED is (await desk.move(made, Move.SUSPEND)).state


async def test_a_move_whose_answer_was_lost_shows_in_the_next_question(desk: Desk) -> None:
    """Nobody is told anything twice."""
    made = await desk.make(*phones(1))
    await desk.work()
    desk.campaigns.answers += [Unknown(), UpstreamBroadcast("up-1", S.STOPPED)]
    await desk.refused(made, Move.STOP)
    await desk.work()
    assert S.STOPPED is (await desk.now(made)).state
    assert 1 == len(desk.campaigns.told)


async def test_a_move_that_cannot_be_never_reaches_the_upstream(desk: Desk) -> None:
    """The broker refuses it by its own state."""
    made = await desk.make(*phones(1))
    await desk.work()
    assert ErrorReason.BROADCAST_NOT_MOVABLE is await desk.refused(made, Move.RESUME)
    assert [] == desk.campaigns.told


async def test_before_it_is_handed_over_it_is_the_brokers_own(desk: Desk) -> None:
    """A draft, and one that waits for its time."""
    draft = await desk.make(*phones(1), draft=True)
    await desk.move(draft, Move.START)
    await desk.move(draft, Move.STOP)
    await desk.work()
    assert ([], []) == (desk.campaigns.orders, desk.campaigns.told)


@pytest.mark.parametrize("lost", [Unknown(), HANGS, RuntimeError(), 7, None], ids=str)
async def test_in_doubt_it_is_asked_about_and_not_handed_over_again(desk: Desk, lost: Any) -> None:
    """By the key that it was handed over with; the upstream had it."""
    desk.campaigns.answers += [lost, Unknown(), UpstreamBroadcast("up-7", S.RUNNING)]
    made = await desk.make(*phones(2))
    for _ in range(5):
        await desk.work(5)
    now = await desk.now(made)
    assert (S.RUNNING, "up-7", 2) == (now.state, await desk.control.upstream_id(now), now.progress.accepted)
    assert 1 == len(desk.campaigns.orders)
    first = desk.campaigns.questions[0]
    assert ("", desk.campaigns.orders[0].idempotency_key) == (first.upstream_id, first.idempotency_key)


async def test_where_nobody_can_tell_it_ends_unknown(desk: Desk) -> None:
    """And is not handed over again, whatever happens later."""
    desk.campaigns.answers += [Unknown()] * 20
    made = await desk.make(*phones(1))
    for _ in range(10):
        await desk.work(60)
    now = await desk.now(made)
    assert (S.UNKNOWN, 1) == (now.state, len(desk.campaigns.orders))
    assert "nobody can tell whether campaigns took it" in now.detail


async def test_what_it_surely_does_not_have_is_handed_over_again(desk: Desk) -> None:
    """After a refused connection, or once it said so; never to whom said STOP meanwhile."""
    desk.campaigns.answers += [NotAccepted(), Unknown(), NotAccepted(), UpstreamBroadcast("up-1", S.RUNNING)]
    made = await desk.make(*phones(2))
    await desk.work()
    assert ErrorReason.BROADCAST_NOT_MOVABLE is await desk.refused(made, Move.RESUME)
    change = ConsentChange(
        account_id=1,
        sender="",
        recipient=str(phones(1)[0].phone_number),
        act=Act.OPT_OUT,
        source=ConsentSource.CALL,
        at_us=desk.clock.now_us(),
    )
    await desk.bench.store.write(record_consent, [change], [1])
    for _ in range(5):
        await desk.work(10)
    assert [2, 1, 1] == [len(each.recipients) for each in desk.campaigns.orders]
    now = await desk.now(made)
    assert (S.RUNNING, 1, 1) == (now.state, now.progress.accepted, now.progress.refused)


async def test_a_process_that_died_in_the_call_leaves_a_doubt(new_desk: Callable[..., Desk]) -> None:
    """The next one waits until the call is surely over, asks, and hands nothing over."""
    dead = new_desk()
    dead.campaigns.answers.append(HANGS)
    made = await dead.make(*phones(1))
    while await dead.expander.round() <= 0:
        pass
    await dead.upstream.round()
    await dead.campaigns.hung.wait()
    for task in list(dead.upstream._busy.values()):
        task.cancel()
    await dead.upstream.settled()
    desk = new_desk()
    await desk.work()
    assert ([], []) == (desk.campaigns.orders, desk.campaigns.questions)
    await desk.work(2 * TIMEOUT_S)
    assert (0, 1) == (len(desk.campaigns.orders), len(desk.campaigns.questions[:1]))
    assert S.RUNNING is (await desk.now(made)).state


async def test_too_many_for_the_upstream_stops_it(new_desk: Callable[..., Desk]) -> None:
    """Before anybody is handed over."""
    desk = new_desk(Campaigns(recipients_max=2))
    made = await desk.make(*phones(3))
    await desk.work()
    now = await desk.now(made)
    assert (S.STOPPED, "its upstream takes at most 2 recipients, and it has more") == (now.state, now.detail)
    assert [] == desk.campaigns.orders


async def test_a_refusal_is_told_in_the_upstreams_words(desk: Desk) -> None:
    """The broadcast is STOPPED."""
    desk.campaigns.answers.append(Rejected(code="BAD_CODE"))
    made = await desk.make(*phones(1))
    await desk.work()
    now = await desk.now(made)
    assert (S.STOPPED, "campaigns refused it: BAD_CODE") == (now.state, now.detail)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"upstream_provider": "acme"}, "upstream_provider"),
        ({"upstream_provider": "nobody"}, "upstream_provider"),
        (
            {"content": Content({Channel.SMS: {"text": "a"}, Channel.PUSH: {"body": "b"}})},
            "content",
        ),
    ],
    ids=["provider", "nobody", "channels"],
)
async def test_what_no_upstream_could_keep_to_is_refused(desk: Desk, changes: Any, field: str) -> None:
    """With the field and the rule, before anything is stored."""
    with pytest.raises(BrokerError) as error:
        await desk.make(*phones(1), **changes)
    assert [field] == [each.field for each in error.value.violations]


async def test_an_account_that_pays_runs_its_broadcasts_here(desk: Desk) -> None:
    """An upstream's are not charged."""
    await desk.bench.store.write(set_policies, [NewPolicy(1, PAYING)], [1])
    with pytest.raises(BrokerError) as error:
        await desk.make(*phones(1))
    (violation,) = error.value.violations
    assert "pays from its credit" in violation.rule


async def test_who_runs_it_cannot_be_changed(desk: Desk) -> None:
    """The broker cannot take back what it would hand over, nor the other way round."""
    draft = await desk.make(*phones(1), draft=True)
    wish = replace(desk.asked[b"0"], upstream_provider="")
    with pytest.raises(BrokerError) as error:
        await desk.control.edit(draft.broadcast_id, wish, b"0")
    assert ["upstream_provider"] == [each.field for each in error.value.violations]


async def test_a_recipient_with_a_later_time_is_refused(desk: Desk) -> None:
    """The upstream starts for all at once."""
    later = replace(phones(1)[0], schedule_at_us=desk.clock.now_us() + 3_600 * SECOND_US)
    made = await desk.make(later, phones(2)[1])
    await desk.work()
    (order,) = desk.campaigns.orders
    assert 1 == len(order.recipients)
    now = await desk.now(made)
    assert [(Reason.POLICY, 1)] == await desk.control.refusals(now.broadcast_id)
