"""Plugins that decide what may be sent, over a real store."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest

from broker.delivery.admit_hook import TEXT_CHARACTERS_MAX, AdmitHook
from broker.delivery.identities import Identities
from broker.delivery.intake import Intake
from broker.delivery.policies import Policies
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.domain.lifecycle import State
from broker.domain.plan import PolicyFinding, PolicyOutcome, PolicyRule
from broker.domain.vocabulary import Channel, Reason, Traffic
from broker.errors import BrokerError, ErrorReason
from broker.plugins import load_plugins
from broker.spi import AdmitQuery, hookimpl
from broker.storage.history import read_events
from broker.storage.store import Store
from broker.testing.builders import ManualClock, phones, sms, submission
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry


def allow(submission: AdmitQuery) -> str | None:
    """Refuse what has no recipients, which is nothing."""
    return None if submission.recipients else "nobody"


def says(text: str) -> Any:
    """A plugin that refuses everything."""

    def refuse(submission: AdmitQuery) -> str:
        return text if submission.recipients else ""

    return refuse


@pytest.fixture
def build(store: Store, clock: ManualClock) -> Iterator[Any]:
    """An intake with plugins that answer with these functions of a submission, loaded as at a start."""
    names: list[str] = []

    def intake(*answers: Any) -> Intake:
        points = []
        for number, answer in enumerate(answers):
            module = ModuleType(f"waypost_admit_plugin_{number}")
            module.waypost_admit = hookimpl(answer, specname="waypost_admit")  # type: ignore[attr-defined]
            sys.modules[module.__name__] = module
            names.append(module.__name__)
            points.append(EntryPoint(f"plugin{number}", module.__name__, "waypost"))
        hooks = load_plugins(points).hooks.get("waypost_admit", ())
        assert len(hooks) == len(answers)
        identities = Identities(store, clock, node=0, last=0)
        return Intake(
            store,
            identities,
            Routes(store, scripted_registry(acme=ScriptedProvider()), clock, RouteHook((), clock)),
            Templates(store, identities, clock, templates_max=10),
            Policies(store, clock),
            Senders(store, identities, clock, providers=()),
            clock,
            units_max=10,
            request_id_memory_s=86_400.0,
            admit=AdmitHook(hooks, clock),
        )

    yield intake
    for name in names:
        sys.modules.pop(name, None)


async def test_a_refusal_is_the_result_of_each_recipient(store: Store, build: Any) -> None:
    """Stored like any refusal, with the plugin's name and words."""
    (answer,) = await build(allow, says("no\ngambling")).accept([submission(recipients=phones(2))])
    assert not isinstance(answer, BrokerError)
    assert [(State.REJECTED, Reason.REFUSED_BY_PLUGIN, "?/plugin1: no gambling")] * 2 == [
        (each.state, each.reason, each.detail) for each in answer
    ]
    events = await store.read(read_events, 1, 0, 10)
    assert [Reason.REFUSED_BY_PLUGIN] * 2 == [each.moved.reason for each in events]


async def test_what_nobody_refuses_goes(build: Any) -> None:
    """None of all is yes."""
    (answer,) = await build(allow).accept([submission()])
    assert State.ACCEPTED == answer[0].state


async def test_a_plugin_sees_the_request(build: Any) -> None:
    """Whole, and as its caller wrote it."""
    seen: list[AdmitQuery] = []

    def look(submission: AdmitQuery) -> None:
        seen.append(submission)

    await build(look).accept([submission(sender="Shop", tags=("a",), origin="crm", client_reference="r")])
    expected = AdmitQuery(
        "0000000000001",
        "Shop",
        Traffic.TRANSACTIONAL,
        ("+447700900000",),
        sms().documents,
        (),
        ("a",),
        "",
        "r",
        "crm",
    )
    assert [expected] == seen
    assert {"text": "Your parcel is on its way"} == seen[0].content[Channel.SMS]


@pytest.mark.parametrize("wrong", [lambda: 1 / 0, lambda: 5], ids=["raises", "answers nonsense"])
async def test_a_gate_that_cannot_answer_is_closed(store: Store, build: Any, wrong: Any) -> None:
    """The call fails and may be tried again; others of the frame, and the store, are untouched."""

    def answer(submission: AdmitQuery) -> Any:
        return wrong() if submission.sender == "Bad" else None

    refused, taken = await build(answer).accept([submission(sender="Bad"), submission()])
    assert isinstance(refused, BrokerError)
    assert (ErrorReason.ADMISSION_FAILED, {"plugin": "?/plugin0"}) == (refused.reason, refused.metadata)
    assert refused.retry_after_s is not None
    assert State.ACCEPTED == taken[0].state
    assert 1 == len(await store.read(read_events, 1, 0, 10))


async def test_explain_names_the_plugin(build: Any) -> None:
    """And stores nothing."""
    (explanation,) = await build(says("x" * 1_000)).explain(submission())
    text = "x" * TEXT_CHARACTERS_MAX
    assert (PolicyFinding(PolicyRule.PLUGIN, PolicyOutcome.REFUSED, text, "?/plugin0"),) == explanation.policy
    assert Reason.REFUSED_BY_PLUGIN == explanation.result.reason


def test_without_plugins_nobody_is_asked(clock: ManualClock) -> None:
    """It is empty, which costs one look."""
    assert not AdmitHook((), clock)
