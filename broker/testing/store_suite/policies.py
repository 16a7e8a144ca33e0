# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of the accounts' policies."""

from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.domain.frequency import FrequencyCap
from broker.domain.quiet_hours import QuietAction, QuietHours
from broker.domain.vocabulary import Channel
from broker.storage.policies import NewPolicy, read_policies, set_policies
from broker.storage.store import Store
from broker.testing.store_suite.opening import OpenedStore

NIGHT = QuietHours(1_200, 480, (1, 5), "Europe/London", QuietAction.REFUSE)
BRITISH = AccountPolicy(
    "GB",
    ("GB", "IE"),
    channels=(Channel.PUSH, Channel.SMS),
    quiet_hours=NIGHT,
    frequency_cap=FrequencyCap(3, 86_400 * 10**6),
)


class PolicyCases(OpenedStore):
    """What an account decided."""

    async def test_an_account_begins_without_a_policy(self, store: Store) -> None:
        """It is the one that changes nothing; of an account that is not there, there is none."""
        assert {1: NO_POLICY} == await store.read(read_policies, [1, 99])

    async def test_a_policy_takes_the_place_of_the_one_before(self, store: Store) -> None:
        """Whole, and of its account alone; the last of a batch counts."""
        first, second = NewPolicy(1, BRITISH), NewPolicy(1, AccountPolicy("FR"))
        assert [True, True] == await store.write(set_policies, [second, first], [1])
        found = await store.read(read_policies, [1, 2])
        assert {1: BRITISH, 2: NO_POLICY} == found
        assert Channel.PUSH is found[1].channels[0]
        await store.write(set_policies, [NewPolicy(1, NO_POLICY)], [1])
        assert {1: NO_POLICY} == await store.read(read_policies, [1])

    async def test_an_account_that_is_not_there_has_none(self, store: Store) -> None:
        """And the rest of the batch is done."""
        items = [NewPolicy(99, BRITISH), NewPolicy(2, BRITISH)]
        assert [False, True] == await store.write(set_policies, items, [2])
        assert {2: BRITISH} == await store.read(read_policies, [2, 99])
