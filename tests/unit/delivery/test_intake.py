"""Intake over a real store: answers in order, and what was answered once is answered again."""

from typing import Any

import pytest

from broker.delivery.identities import Identities
from broker.delivery.intake import Intake
from broker.errors import BrokerError, ErrorReason
from broker.storage.store import Store
from broker.testing.builders import ManualClock, sms, submission
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry


@pytest.fixture
def build(store: Store, clock: ManualClock, provider: ScriptedProvider) -> Any:
    """An intake with the given limits over one store, as after a restart."""
    identities = Identities(store, clock, node=0, last=0)
    registry = scripted_registry(acme=provider)

    def intake(**limits: Any) -> Intake:
        given = {"units_max": 10, "request_id_memory_s": 86_400.0} | limits
        return Intake(store, identities, registry, clock, **given)

    return intake


async def test_each_submission_gets_its_own_answer(build: Any) -> None:
    """One that is refused as a whole stops no other."""
    long = submission(content=sms("x" * 10_000))
    first, refused, last = await build().accept([submission(), long, submission()])
    assert isinstance(refused, BrokerError)
    assert ErrorReason.TOO_MANY_UNITS is refused.reason
    assert not isinstance(first, BrokerError)
    assert not isinstance(last, BrokerError)
    assert first[0].message_id < last[0].message_id


async def test_a_repeat_is_answered_though_it_would_be_refused_now(build: Any) -> None:
    """(I2): a limit that was lowered since does not undo what was accepted."""
    asked = submission(content=sms("x" * 400), request_id="r1")
    (first,) = await build().accept([asked])
    (again,) = await build(units_max=1).accept([asked])
    assert first == again


async def test_another_payload_is_refused_for_what_is_wrong_with_it(build: Any) -> None:
    """A request_id that was used makes no refused request an accepted one."""
    await build().accept([submission(request_id="r1")])
    (refused,) = await build(units_max=1).accept([submission(content=sms("x" * 400), request_id="r1")])
    assert isinstance(refused, BrokerError)
    assert ErrorReason.TOO_MANY_UNITS is refused.reason
