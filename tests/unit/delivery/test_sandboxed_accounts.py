"""Accounts that only try things out reach nobody, over a real store."""

from typing import Any

import pytest

from broker.delivery.identities import Identities
from broker.delivery.intake import Intake
from broker.delivery.policies import Policies
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.domain.explaining import Verdict
from broker.domain.routes import Route
from broker.domain.submission import Submission
from broker.domain.vocabulary import Reason
from broker.errors import ErrorReason
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.store import Store
from broker.testing.builders import ManualClock, phones, submission
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry

SANDBOXED = AccountPolicy(sandbox_only=True)
OF_ALL = (Route("real", "real"), Route("uk", "real", prefixes=("44",)))


@pytest.fixture
def build(store: Store, clock: ManualClock) -> Any:
    """An intake between a real provider and, unless told otherwise, one that reaches nobody."""

    async def intake(*table: Route, toy: bool = True, policy: AccountPolicy = SANDBOXED) -> Intake:
        providers = {"real": ScriptedProvider(), "toy": ScriptedProvider(sandbox=toy)}
        registry = scripted_registry(**providers)
        routes = Routes(store, registry, clock, RouteHook((), clock))
        await routes.start()
        if table:
            await routes.replace(table, 0, 7, validate_only=False)
        identities = Identities(store, clock, node=0, last=0)
        await store.write(set_policies, [NewPolicy(1, policy)], [1])
        return Intake(
            store,
            identities,
            routes,
            Templates(store, identities, clock, templates_max=1),
            Policies(store, clock),
            Senders(store, identities, clock, providers=()),
            clock,
            units_max=10,
            request_id_memory_s=60.0,
        )

    return intake


async def candidates(intake: Intake, asked: Submission) -> list[str]:
    """Who may carry it."""
    (explained,) = await intake.explain(asked)
    return [
        each.judgement.route.provider
        for each in explained.considered
        if each.judgement.verdict in {Verdict.CHOSEN, Verdict.STANDBY}
    ]


@pytest.mark.parametrize("table", [(), OF_ALL], ids=["without routes", "with routes to the real one"])
async def test_a_sandboxed_account_reaches_nobody(build: Any, table: tuple[Route, ...]) -> None:
    """Whatever the routes say; any other account goes by them."""
    intake = await build(*table)
    (results,) = await intake.accept([submission(recipients=phones(2))])
    assert [None, None] == [each.reason for each in results]
    assert ["toy"] == await candidates(intake, submission())
    assert "real" in await candidates(intake, submission(account_id=2))


async def test_no_pin_leads_out_of_the_sandbox(build: Any) -> None:
    """The real instance is as good as none; the sandbox can be named."""
    intake = await build()
    (pinned, unknown) = await intake.accept([submission(provider="real"), submission(provider="none")])
    assert [ErrorReason.INVALID_REQUEST] * 2 == [each.reason for each in (pinned, unknown)]
    (pinned,) = await intake.accept([submission(provider="toy")])
    assert [None] == [each.reason for each in pinned]


async def test_without_a_sandbox_nothing_goes_out(build: Any) -> None:
    """Rather than through the next best."""
    intake = await build(toy=False)
    (results,) = await intake.accept([submission()])
    assert [Reason.NO_ROUTE] == [each.reason for each in results]


async def test_who_is_let_out_reaches_people(build: Any, store: Store, clock: ManualClock) -> None:
    """Within a second."""
    intake = await build(*OF_ALL)
    await intake.accept([submission()])
    await store.write(set_policies, [NewPolicy(1, NO_POLICY)], [1])
    clock.advance(1)
    assert ["real"] == await candidates(intake, submission())
