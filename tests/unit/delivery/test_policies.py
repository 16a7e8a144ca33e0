"""Policies as decisions get them: remembered for a second."""

from broker.delivery.policies import FRESH_US, Policies
from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.store import Store
from broker.testing.builders import ManualClock

BRITISH = AccountPolicy("GB")


async def test_a_policy_is_believed_for_a_second(store: Store, clock: ManualClock) -> None:
    """Until then the old one still decides; after it the new one does."""
    policies = Policies(store, clock)
    assert {1: NO_POLICY} == await policies.of([1])
    await store.write(set_policies, [NewPolicy(1, BRITISH)], [1])
    clock.time_us += FRESH_US - 1
    assert {1: NO_POLICY} == await policies.of([1])
    clock.time_us += 1
    assert {1: BRITISH} == await policies.of([1])


async def test_an_account_that_is_not_there_has_the_policy_that_changes_nothing(
    store: Store, clock: ManualClock
) -> None:
    """Next to one that is."""
    await store.write(set_policies, [NewPolicy(2, BRITISH)], [2])
    assert {2: BRITISH, 99: NO_POLICY} == await Policies(store, clock).of([2, 99])
