# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of accounts: their trees, emails that one has, what may change, and pages of them."""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.access import Principal, Role
from broker.domain.account import DEPTH_MAX, Account, Profile, place_of
from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.storage.accounts import (
    AccountChange,
    AccountQuery,
    AccountsFull,
    AccountWish,
    EmailTaken,
    NoSuchAccount,
    TreeTooDeep,
    add_accounts,
    change_accounts,
    read_account,
    read_account_by_email,
    read_accounts,
)
from broker.storage.keeping import NewKey, create_keys, read_account_exists, read_key
from broker.storage.policies import read_policies
from broker.testing.builders import NOW_US
from broker.testing.store_suite.bench import ACCOUNTS, Bench
from broker.testing.store_suite.opening import OpenedStore

_WHO = Profile("Ada", "Byron", "Ada@Example.org", "+44 20 7946 0000", "Engines \u2603 Ltd")


_SANDBOXED = AccountPolicy(sandbox_only=True)


def _wish(account_id: int, parent: int | None = None, **changes: Any) -> AccountWish:
    fields: dict[str, Any] = {
        "name": f"n{account_id}",
        "profile": Profile("A", "B", f"{account_id}@example.org", "1234"),
        "api_access": True,
        "sandbox_only": None,
        "now_us": NOW_US,
        "accounts_max": 1_000,
    }
    return AccountWish(account_id=account_id, parent_account_id=parent, **(fields | changes))


async def _add(bench: Bench, *wishes: AccountWish) -> list[Any]:
    return list(await bench.store.write(add_accounts, list(wishes), [each.account_id for each in wishes]))


async def _page(bench: Bench, *query: Any, **more: Any) -> list[int]:
    found = await bench.store.read(read_accounts, AccountQuery(*query, **more))
    return [each.account_id for each in found]


class AccountCases(OpenedStore):
    """Accounts in the store."""

    async def test_an_account_says_what_was_written(self, bench: Bench) -> None:
        """Found by its id and by its email in any case, and known to who asks whether there is one."""
        wish = _wish(50, 1, name="Engines", profile=_WHO, api_access=False, sandbox_only=True)
        (made,) = await _add(bench, wish)
        expected = Account(50, place_of(50, place_of(1)), "Engines", _WHO, False, _SANDBOXED, NOW_US, NOW_US)
        assert expected == made
        assert expected == await bench.store.read(read_account, 50)
        assert expected == await bench.store.read(read_account_by_email, "ADA@example.ORG")
        assert await bench.store.read(read_account_exists, 50)
        assert 1 == made.parent_account_id

    async def test_an_account_of_a_new_store_stands_at_the_top_and_alone(self, bench: Bench) -> None:
        """Nobody answers for it, and no email finds it, an empty one neither."""
        found = await bench.store.read(read_account, 1)
        assert Account(1, place_of(1), "account 1", Profile(), True, NO_POLICY, NOW_US, NOW_US) == found
        assert found is not None
        assert found.parent_account_id is None
        assert await bench.store.read(read_account_by_email, "") is None

    async def test_what_is_not_there_is_not_found(self, bench: Bench) -> None:
        """By no way."""
        assert await bench.store.read(read_account, 99) is None
        assert await bench.store.read(read_account_by_email, "x@example.org") is None
        assert [NoSuchAccount()] == await bench.store.write(
            change_accounts, [AccountChange(99, NOW_US)], [99]
        )
        assert [NoSuchAccount()] == await _add(bench, _wish(50, 99))

    async def test_an_email_belongs_to_one_account(self, bench: Bench) -> None:
        """Whatever its case, and within one call, too."""
        first, second = await _add(bench, _wish(50, profile=_WHO), _wish(51, profile=_WHO))
        assert (Account, EmailTaken()) == (type(first), second)
        shouted = Profile("A", "B", _WHO.email.upper(), "1234")
        assert [EmailTaken()] == await _add(bench, _wish(52, 1, profile=shouted))

    async def test_a_tree_has_a_depth(self, bench: Bench) -> None:
        """Its lowest account may have none below it."""
        chain = [_wish(50, None), *(_wish(number, number - 1) for number in range(51, 50 + DEPTH_MAX))]
        assert {Account} == {type(each) for each in await _add(bench, *chain)}
        assert [TreeTooDeep(DEPTH_MAX)] == await _add(bench, _wish(99, 49 + DEPTH_MAX))

    async def test_a_broker_has_so_many_accounts(self, bench: Bench) -> None:
        """Those of the suite are counted."""
        allowed = len(ACCOUNTS) + 1
        first, second = await _add(bench, _wish(50, accounts_max=allowed), _wish(51, accounts_max=allowed))
        assert (Account, AccountsFull(allowed)) == (type(first), second)

    @pytest.mark.parametrize(
        ("above", "wish", "expected"),
        [(True, None, True), (False, None, False), (True, False, False), (False, True, True)],
    )
    async def test_an_account_is_sandboxed_as_the_one_above_unless_told_otherwise(
        self, bench: Bench, above: bool, wish: bool | None, expected: bool
    ) -> None:
        """A customer of somebody who tries things out tries things out."""
        _, made = await _add(bench, _wish(50, sandbox_only=above), _wish(51, 50, sandbox_only=wish))
        assert expected == made.policy.sandbox_only

    async def test_what_a_change_names_is_another_and_the_rest_stays(self, bench: Bench) -> None:
        """Also empty and false values; the email and the place in the tree are never others."""
        await _add(bench, _wish(50, 1, profile=_WHO))
        bench.wait(5)
        change = AccountChange(50, bench.now_us, company="", last_name="Lovelace", api_access=False)
        (changed,) = await bench.store.write(change_accounts, [change], [50])
        who = Profile("Ada", "Lovelace", _WHO.email, _WHO.contact_number, "")
        path = place_of(50, place_of(1))
        assert Account(50, path, "n50", who, False, NO_POLICY, NOW_US, bench.now_us) == changed
        assert changed == await bench.store.read(read_account, 50)
        rest = AccountChange(50, bench.now_us, "n", "F", None, "5678", "C", sandbox_only=True)
        (again,) = await bench.store.write(change_accounts, [rest], [50])
        who = Profile("F", "Lovelace", _WHO.email, "5678", "C")
        assert Account(50, path, "n", who, False, _SANDBOXED, NOW_US, bench.now_us) == again
        assert again == await bench.store.read(read_account_by_email, _WHO.email)

    async def test_a_policy_changes_as_a_whole_or_in_parts(self, bench: Bench) -> None:
        """What is not named stays, and decisions read what is stored."""
        first = AccountPolicy("GB", ("GB", "IE"))
        (made,) = await _add(bench, _wish(50, policy=first, sandbox_only=True))
        assert replace(first, sandbox_only=True) == made.policy
        other, fields = AccountPolicy("FR", ("FR",)), frozenset({"default_region"})
        change = AccountChange(50, NOW_US, policy=other, policy_fields=fields)
        (changed,) = await bench.store.write(change_accounts, [change], [50])
        expected = AccountPolicy("FR", ("GB", "IE"), sandbox_only=True)
        assert ({50: expected}, expected) == (
            await bench.store.read(read_policies, [50]),
            changed.policy if isinstance(changed, Account) else None,
        )

    async def test_a_key_says_whether_its_accounts_keys_may_call(self, bench: Bench) -> None:
        """As the account is now."""
        await bench.store.write(create_keys, [NewKey(7, 1, Role.SEND, "hash", NOW_US)], [1])
        found = []
        for access in (False, True):
            await bench.store.write(change_accounts, [AccountChange(1, NOW_US, api_access=access)], [1])
            found.append(await bench.store.read(read_key, 7))
        expected = [Principal(7, 1, Role.SEND, api_access=access) for access in (False, True)]
        assert expected == [each.principal for each in found if each]

    async def test_pages_follow_the_tree_from_the_top_down(self, bench: Bench) -> None:
        """All of it, what is below an account, or what is right below it; each once."""
        await _add(bench, _wish(50, 2), _wish(51, 1), _wish(52, 51), _wish(53, 1), _wish(54, 52))
        assert [1, 51, 52, 54, 53, 2, 50, 3, 4] == await _page(bench, "", "", 100)
        one = place_of(1)
        assert [51, 52, 54, 53] == await _page(bench, one, "", 100)
        assert [51, 53] == await _page(bench, one, "", 100, children_only=True)
        assert [1, 2, 3, 4] == await _page(bench, "", "", 100, children_only=True)
        assert [51, 52] == await _page(bench, one, "", 2)
        assert [54, 53] == await _page(bench, one, place_of(52, place_of(51, one)), 2)
        assert [] == await _page(bench, place_of(4), "", 100)
