"""What follows from messages that came in: each answered once, by one of those who may, and never without end."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest
from structlog.testing import capture_logs

from broker.delivery.answering import Answering
from broker.delivery.errands import ATTEMPTS_MAX, Errands
from broker.delivery.identities import Identities
from broker.delivery.inbound_hook import InboundHook
from broker.delivery.inbox_keeper import InboxKeeper
from broker.delivery.intake import Intake
from broker.delivery.policies import Policies
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.domain.account_policy import AccountPolicy
from broker.domain.ids import first_id_at
from broker.domain.price import Price, PricedItem
from broker.domain.prices import PriceList, PriceRule, PriceTable
from broker.domain.records import MessageRecord
from broker.domain.vocabulary import Channel, Direction, Reason, Traffic
from broker.errors import BrokerError, ErrorReason
from broker.metrics import Metrics
from broker.plugins import load_plugins
from broker.spi import InboundMessage, KeywordField, hookimpl
from broker.storage.correspondence import read_correspondence
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.store import Store
from broker.testing.builders import NOW_US, ManualClock
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite import Bench
from broker.testing.store_suite.crediting import buy, credit
from broker.testing.store_suite.inbound_bench import HOUR_S, OURS, PERSON, Phone, person

Answer = Callable[..., Any]


@pytest.fixture
def phone(bench: Bench) -> Phone:
    """One who writes to us."""
    return Phone(bench)


@pytest.fixture
def plugged() -> Iterator[Callable[..., Any]]:
    """The hooks of plugins that answer so, loaded as at a start."""
    names: list[str] = []

    def load(*answers: Answer) -> Any:
        points = []
        for number, answer in enumerate(answers):
            module = ModuleType(f"waypost_inbound_plugin_{number}")
            module.waypost_inbound = hookimpl(answer, specname="waypost_inbound")  # type: ignore[attr-defined]
            sys.modules[module.__name__] = module
            names.append(module.__name__)
            points.append(EntryPoint(f"plugin{number}", module.__name__, "waypost"))
        return load_plugins(points).hooks.get("waypost_inbound", ())

    yield load
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def make(store: Store, clock: ManualClock, provider: ScriptedProvider) -> Callable[..., Errands]:
    """Over the test's store, with plugins."""

    def errands(hooks: Any = (), intake: Any = None, carried_out: Any = (), **more: Any) -> Errands:
        identities = Identities(store, clock, node=0, last=first_id_at(NOW_US // 1_000 + 1_000))
        registry = scripted_registry(acme=provider)
        policies = Policies(store, clock)
        intake = intake or Intake(
            store,
            identities,
            Routes(store, registry, clock, RouteHook((), clock)),
            Templates(store, identities, clock, templates_max=10),
            policies,
            Senders(store, identities, clock, providers=()),
            clock,
            units_max=10,
            request_id_memory_s=86_400.0,
            **more,
        )
        answering = Answering(store, intake, clock, Metrics(), route=registry.route, replies_per_hour_max=2)
        hook = InboundHook(hooks, clock)
        done = {OURS: frozenset(carried_out)}
        return Errands(
            store, answering, policies, hook, clock, carried_out=lambda each: done.get(each, frozenset())
        )

    return errands


async def answers(bench: Bench, account_id: int = 1) -> list[MessageRecord]:
    """What was sent to anybody but by callers, oldest first."""
    (ids,) = await bench.pages(
        account_id, traffics=frozenset({Traffic.CONVERSATIONAL}), directions=frozenset({Direction.OUTBOUND})
    )
    return [await bench.message(each, account_id) for each in reversed(ids)]


async def decide(bench: Bench, **fields: Any) -> None:
    """What account 1 decides."""
    await bench.store.write(set_policies, [NewPolicy(1, AccountPolicy(**fields))], [1])


async def test_help_is_answered_always(make: Any, bench: Bench, phone: Phone) -> None:
    """As the same conversation: from our address, through the instance, to who wrote, beside what was written."""
    await bench.sent("x", sender=OURS, **person())
    kept = await phone.say("HELP")
    assert 1 == await make().carry_out()
    (answer,) = await answers(bench)
    assert (PERSON, OURS, Channel.SMS, kept.message_id, "consent") == (
        answer.recipient,
        answer.sender,
        answer.channel,
        answer.labels.reply_to_message_id,
        answer.labels.origin,
    )
    assert ("acme",) == answer.candidates
    assert 0 == await make().carry_out()


@pytest.mark.parametrize(
    ("text", "policy", "said"),
    [
        ("HELP", {"help_answer": "Call 123."}, ["Call 123."]),
        ("STOP", {"stop_answer": "Bye."}, ["Bye."]),
        ("STOP", {}, []),
        ("AYUDA", {}, ["Responda STOP para no recibir mensajes, START para recibirlos otra vez."]),
        ("AYUDA", {"help_answer": "Call 123."}, ["Call 123."]),
        (
            "stopp",
            {"confirm_opt_ins": True},
            ["Sie erhalten keine Nachrichten mehr. Antworten Sie START, um wieder welche zu erhalten."],
        ),
        ("STOP", {"confirm_opt_ins": True, "stop_answer": "Bye."}, ["Bye."]),
        (
            "START",
            {"confirm_opt_ins": True},
            ["You will get messages again. Reply STOP to end them, HELP for help."],
        ),
        ("START", {"start_answer": "Hello."}, ["Hello."]),
        ("START", {}, []),
    ],
)
async def test_words_of_consent_are_answered_as_the_account_decides(
    make: Any, bench: Bench, phone: Phone, text: str, policy: dict[str, str], said: list[str]
) -> None:
    """STOP and START only where it has words for them."""
    await decide(bench, **policy)
    await phone.say(text)
    await make().carry_out()
    assert said == [(each.content or {})["text"] for each in await answers(bench)]


async def test_a_keyword_answers_and_forwards(make: Any, bench: Bench, phone: Phone) -> None:
    """The email says who wrote to whom."""
    await phone.rent(account_id=1)
    await phone.configure(account_id=1, forward_to="ada@example.org")
    await phone.say("JOIN")
    await make().carry_out()
    (answer,) = await answers(bench)
    assert ({"text": "Thank you for joining our list."}, "autoreply") == (
        answer.content,
        answer.labels.origin,
    )
    ((email,),) = await bench.pages(recipients=frozenset({"ada@example.org"}))
    content = (await bench.message(email)).content or {}
    assert (f"Message from {PERSON} to {OURS}", "JOIN") == (content["subject"], content["text"])


@pytest.mark.parametrize(
    ("carried_out", "answered", "mailed"),
    [
        ((KeywordField.AUTOREPLY,), 0, 1),
        ((KeywordField.EMAIL,), 1, 0),
        ((KeywordField.AUTOREPLY, KeywordField.EMAIL), 0, 0),
    ],
)
async def test_what_an_upstream_does_of_a_keyword_is_left_to_it(
    make: Any, bench: Bench, phone: Phone, carried_out: Any, answered: int, mailed: int
) -> None:
    """Or people would be answered twice; at other addresses the broker does it all the same."""
    await phone.rent(account_id=1)
    await phone.configure(account_id=1, forward_to="ada@example.org")
    await phone.say("JOIN")
    await make(carried_out=carried_out).carry_out()
    assert answered == len(await answers(bench))
    (emails,) = await bench.pages(recipients=frozenset({"ada@example.org"}))
    assert mailed == len(emails)


async def test_an_autoreply_costs_its_own_price_and_a_forward_nothing(
    make: Any, bench: Bench, phone: Phone
) -> None:
    """Held like that of any message; the answer to HELP costs what a message does."""
    rules = (PriceRule(30), PriceRule(7, item=PricedItem.AUTOREPLY))
    errands = make(prices_now=lambda: PriceList(PriceTable(1, rules, "EUR")))
    await decide(bench, enforce_credit=True)
    await buy(bench, "first", 100)
    await phone.rent(account_id=1)
    await phone.configure(account_id=1, forward_to="ada@example.org")
    await phone.say("JOIN")
    await errands.carry_out()
    (answer,) = await answers(bench)
    ((email,),) = await bench.pages(recipients=frozenset({"ada@example.org"}))
    assert (Price(7, "EUR"), None) == (answer.price, (await bench.message(email)).price)
    assert (93, 7, 0) == await credit(bench)
    await phone.say("HELP")
    await errands.carry_out()
    assert (63, 37, 0) == await credit(bench)


async def test_what_cannot_be_paid_is_not_answered(make: Any, bench: Bench, phone: Phone) -> None:
    """The message is kept, and forwarded all the same; nothing is tried again."""
    rules = (PriceRule(30),)
    errands = make(prices_now=lambda: PriceList(PriceTable(1, rules, "EUR")))
    await decide(bench, enforce_credit=True)
    await phone.rent(account_id=1)
    await phone.configure(account_id=1, forward_to="ada@example.org")
    await phone.say("JOIN")
    await errands.carry_out()
    assert [] == await answers(bench)
    assert 1 == len((await bench.pages(recipients=frozenset({"ada@example.org"})))[0])
    assert [] == await phone.due()


async def test_a_forwarded_message_has_a_subject_of_one_line(make: Any, bench: Bench, phone: Phone) -> None:
    """Whatever a provider says who wrote."""
    await phone.rent(account_id=1)
    await phone.configure(account_id=1, forward_to="ada@example.org")
    await phone.say("JOIN", sender="a\r\nBcc: b@example.org")
    await make().carry_out()
    ((email,),) = await bench.pages(recipients=frozenset({"ada@example.org"}))
    assert (
        f"Message from a Bcc: b@example.org to {OURS}"
        == ((await bench.message(email)).content or {})["subject"]
    )


async def test_where_the_callback_may_answer_the_autoreply_waits(
    make: Any, bench: Bench, phone: Phone
) -> None:
    """A person gets one answer."""
    await decide(bench, inbound_waits=True)
    await phone.rent(account_id=1)
    await phone.configure(account_id=1, callback_url="https://shop.example/hook")
    await phone.say("JOIN")
    await make().carry_out()
    assert [] == await answers(bench)


async def test_plugins_answer_what_nobody_else_does(
    make: Any, plugged: Any, bench: Bench, phone: Phone
) -> None:
    """The first that says something; they see what was written, and by whom."""
    seen = []

    def silent(message: InboundMessage) -> None:
        seen.append(message)

    hooks = plugged(silent, lambda message: f"You said {message.text}", lambda message: message.sender)
    kept = await phone.say("Hello", asks_hook=True)
    await make(hooks).carry_out()
    (answer,) = await answers(bench)
    assert "plugin" == answer.labels.origin
    assert (answer.content or {})["text"] in {"You said Hello", PERSON}
    assert kept.message_id == answer.labels.reply_to_message_id
    assert {("Hello", PERSON, OURS)} >= {(each.text, each.sender, each.recipient) for each in seen}


@pytest.mark.parametrize("wrong", [lambda: 1 / 0, lambda: 7], ids=["raises", "no text"])
async def test_a_plugin_that_fails_is_passed_over(
    make: Any, plugged: Any, bench: Bench, phone: Phone, wrong: Answer
) -> None:
    """And logged once a minute, without what was written."""
    errands = make(plugged(wrong))
    with capture_logs() as logs:
        for _ in range(2):
            await phone.say("Hello", asks_hook=True)
            await errands.carry_out()
    assert [] == await answers(bench)
    assert ["plugin.hook_raised"] == [each["event"] for each in logs]
    assert "Hello" not in str(logs)


async def test_answers_end(make: Any, bench: Bench, phone: Phone) -> None:
    """So many an hour to one person; then they are seen as refused."""
    await phone.rent(account_id=1)
    for _ in range(3):
        await phone.say("JOIN")
    await make().carry_out()
    assert [None, None, Reason.REPLY_LIMIT] == [each.reason for each in await answers(bench)]


async def test_the_broker_does_not_answer_itself(make: Any, bench: Bench, phone: Phone) -> None:
    """Who writes from a sender of ours may be an autoreply of ours."""
    await phone.rent(account_id=1)
    await phone.say("JOIN", sender=OURS)
    await make().carry_out()
    assert [Reason.REPLY_LOOP] == [each.reason for each in await answers(bench)]


async def test_a_broker_that_died_in_between_answers_once(
    make: Any, bench: Bench, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer was stored and the errand was not finished: it is carried out again."""
    await phone.say("HELP")
    write = bench.store.write

    async def dying(verb: Any, *arguments: Any) -> Any:
        if verb.__name__ == "finish_errands":
            raise BrokerError(ErrorReason.STORE_UNAVAILABLE)
        return await write(verb, *arguments)

    monkeypatch.setattr(bench.store, "write", dying)
    with pytest.raises(BrokerError):
        await make().carry_out()
    monkeypatch.undo()
    assert 1 == await make().carry_out()
    assert 1 == len(await answers(bench))


class Defective:
    """An intake with a defect about one text."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def accept(self, submissions: Any) -> Any:
        """Raises for it."""
        if any("bad" in str(each.content.documents) for each in submissions):
            raise LookupError
        self.taken += submissions
        return [[type("Result", (), {"reason": None})()] for _ in submissions]


async def test_one_that_fails_holds_up_no_other(
    make: Any, plugged: Any, phone: Phone, clock: ManualClock, bench: Bench
) -> None:
    """It is tried again later, and given up after a while."""
    intake = Defective()
    errands = make(plugged(lambda message: message.text), intake)
    await phone.say("bad", asks_hook=True)
    await phone.say("good", asks_hook=True)
    with capture_logs() as logs:
        for _ in range(ATTEMPTS_MAX):
            await errands.carry_out()
            clock.advance(400)
            bench.wait(400)
    assert 1 == len(intake.taken)
    assert [] == await phone.due()
    assert "inbox.errand_given_up" in [each["event"] for each in logs]


async def test_an_answer_that_cannot_be_sent_is_logged_and_dropped(
    make: Any, plugged: Any, bench: Bench, phone: Phone
) -> None:
    """Too long, as one."""
    await phone.say("Hello", asks_hook=True)
    with capture_logs() as logs:
        await make(plugged(lambda: "x" * 5_000)).carry_out()
    assert ["inbox.answer_refused"] == [each["event"] for each in logs]
    assert ([], []) == (await answers(bench), await phone.due())


async def test_the_keeper_forgets_whom_we_wrote_to_long_ago(bench: Bench, clock: ManualClock) -> None:
    """After the memory has passed."""
    await bench.sent("x", sender=OURS, **person())
    keeper = InboxKeeper(bench.store, clock, memory_s=HOUR_S)
    await keeper.sweep()
    assert (await bench.store.read(read_correspondence, {PERSON}))[PERSON]
    clock.advance(HOUR_S + 1)
    await keeper.sweep()
    found = await bench.store.read(read_correspondence, {PERSON})
    assert not found.get(PERSON)
