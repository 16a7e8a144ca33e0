"""Accounts on the wire, with a real store and real keys behind them."""

from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from broker.api.convert.account_policies import FIELDS
from broker.domain.account import DEPTH_MAX
from broker.domain.account_policy import AccountPolicy
from broker.domain.ids import format_id
from broker.testing.builders import NOW_US, ManualClock
from waypost.v1 import account_pb2

ADMIN_ACCOUNT, PARTNER_ACCOUNT = 1, 2
ACCOUNTS_MAX = 40


async def test_an_account_is_made_and_found_by_id_and_by_email(call: Any, ada: Any) -> None:
    """As it was written, with what the broker gives."""
    created = (await call("CreateAccount", account=ada())).account
    expected = account_pb2.Account(
        **ada(email="Ada@example.org"),
        account_id=created.account_id,
        api_access=True,
        sandbox_only=False,
        policy={},
        create_time={"seconds": NOW_US // 1_000_000},
        update_time={"seconds": NOW_US // 1_000_000},
    )
    assert expected == created
    assert expected == (await call("GetAccount", account_id=created.account_id)).account
    assert expected == (await call("FindAccount", email="ADA@example.org")).account


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"first_name": ""}, "account.first_name"),
        ({"first_name": " "}, "account.first_name"),
        ({"last_name": ""}, "account.last_name"),
        ({"last_name": "x" * 101}, "account.last_name"),
        ({"email": ""}, "account.email"),
        ({"email": "no mailbox"}, "account.email"),
        ({"contact_number": ""}, "account.contact_number"),
        ({"contact_number": "123"}, "account.contact_number"),
        ({"contact_number": "call me"}, "account.contact_number"),
        ({"name": "two\nlines"}, "account.name"),
        ({"company": "x" * 201}, "account.company"),
        ({"account_id": format_id(9)}, "account.account_id"),
        ({"policy": {"default_region": "Oz"}}, "account.policy.default_region"),
        ({"policy": {"allowed_countries": ["GB", "gb"]}}, "account.policy.allowed_countries[1]"),
        ({"policy": {"channels": [1, 99]}}, "account.policy.channels[1]"),
        ({"policy": {"quiet_hours": {"start_minute": 1_440}}}, "account.policy.quiet_hours.start_minute"),
        (
            {"policy": {"quiet_hours": {"end_minute": 60, "time_zone": "Oz"}}},
            "account.policy.quiet_hours.time_zone",
        ),
        ({"policy": {"frequency_cap": {"count": 1}}}, "account.policy.frequency_cap.window"),
        ({"policy": {"frequency_cap": {"window": {"seconds": 3_600}}}}, "account.policy.frequency_cap.count"),
        (
            {"policy": {"quiet_hours": {"end_minute": 60, "action": 9}}},
            "account.policy.quiet_hours.action",
        ),
    ],
)
async def test_an_account_that_cannot_be_is_refused_with_its_field(
    call: Any, changes: Any, field: str, ada: Any
) -> None:
    """And nothing is made."""
    refusal = await call("CreateAccount", account=ada(**changes))
    assert (grpc.StatusCode.INVALID_ARGUMENT, {field}) == (refusal.code, refusal.violations.keys())
    assert 3 == len((await call("ListAccounts")).accounts)


@pytest.mark.parametrize(
    ("changes", "expected"), [({"name": ""}, "Engines Ltd"), ({"name": "", "company": ""}, "Ada Byron")]
)
async def test_an_account_that_nobody_named_has_a_name(
    call: Any, changes: Any, expected: str, ada: Any
) -> None:
    """Its company's or its person's."""
    assert expected == (await call("CreateAccount", account=ada(**changes))).account.name


async def test_an_email_belongs_to_one_account(call: Any, ada: Any) -> None:
    """Whatever its case, and whoever asks."""
    await call("CreateAccount", account=ada())
    for key in ("admin", "partner"):
        refusal = await call("CreateAccount", key, account=ada(email="ada@EXAMPLE.org"))
        assert (grpc.StatusCode.ALREADY_EXISTS, "EMAIL_TAKEN") == (refusal.code, refusal.reason)


async def test_a_tree_has_a_depth_and_the_broker_a_size(call: Any, made: Any, ada: Any) -> None:
    """Either is a failed precondition that says what is allowed."""
    parent = ""
    for number in range(DEPTH_MAX):
        parent = (await made(number, parent_account_id=parent)).account_id
    refusal = await call("CreateAccount", account=ada(parent_account_id=parent))
    assert (grpc.StatusCode.FAILED_PRECONDITION, "TREE_TOO_DEEP") == (refusal.code, refusal.reason)
    assert {"allowed": str(DEPTH_MAX)} == dict(refusal.info.metadata)
    for number in range(100, 100 + ACCOUNTS_MAX - 3 - DEPTH_MAX):
        await made(number)
    refusal = await call("CreateAccount", account=ada())
    assert (grpc.StatusCode.FAILED_PRECONDITION, "TOO_MANY_ACCOUNTS") == (refusal.code, refusal.reason)


async def test_a_partner_builds_its_own_tree(call: Any, made: Any) -> None:
    """Without naming a parent right below its own account; it sees all of it and nothing else."""
    own = format_id(PARTNER_ACCOUNT)
    customer = await made(1, "partner")
    below = await made(2, "partner", parent_account_id=customer.account_id)
    assert (own, customer.account_id) == (customer.parent_account_id, below.parent_account_id)
    elsewhere = await made(3)
    listed = (await call("ListAccounts", "partner")).accounts
    assert [customer, below] == list(listed)
    right_below = await call("ListAccounts", "partner", filter={"children_only": True})
    assert [customer] == list(right_below.accounts)
    assert [below] == list((await call("ListAccounts", "partner", account_id=customer.account_id)).accounts)
    everything = (await call("ListAccounts")).accounts
    assert {own, customer.account_id, below.account_id, elsewhere.account_id} < {
        each.account_id for each in everything
    }


@pytest.mark.parametrize("key", ["partner", "send", "read"])
async def test_any_key_sees_its_own_account(call: Any, key: str) -> None:
    """By naming it, or nothing."""
    own = format_id(PARTNER_ACCOUNT)
    assert own == (await call("GetAccount", key)).account.account_id
    assert own == (await call("GetAccount", key, account_id=own)).account.account_id


@pytest.mark.parametrize("key", ["send", "read"])
@pytest.mark.parametrize("method", ["CreateAccount", "FindAccount", "ListAccounts", "UpdateAccount"])
async def test_other_roles_manage_no_accounts(call: Any, method: str, key: str) -> None:
    """Not even their own."""
    assert "ROLE_INSUFFICIENT" == (await call(method, key)).reason


async def test_an_account_that_a_partner_may_not_act_for_is_not_there(call: Any, made: Any, ada: Any) -> None:
    """Seen, found, listed, changed or built upon: to the last byte as one that never was."""
    theirs = await made(1, "stranger")
    missing = format_id(99)
    for method, field in (
        ("GetAccount", "account_id"),
        ("ListAccounts", "account_id"),
    ):
        refusals = [await call(method, "partner", **{field: each}) for each in (theirs.account_id, missing)]
        assert refusals[0] == refusals[1]
        assert "ACCOUNT_NOT_FOUND" == refusals[0].reason
    for each in (theirs.account_id, missing, "nonsense", format_id(ADMIN_ACCOUNT)):
        update = await call("UpdateAccount", "partner", account={"account_id": each, "name": "x"})
        create = await call("CreateAccount", "partner", account=ada(parent_account_id=each))
        assert ["ACCOUNT_NOT_FOUND"] * 2 == [update.reason, create.reason]
    found = [await call("FindAccount", "partner", email=each) for each in (theirs.email, "x@example.org")]
    assert found[0] == found[1]
    assert (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND") == (found[0].code, found[0].reason)


async def test_an_update_changes_what_is_set_or_named(call: Any, ada: Any) -> None:
    """Without a mask what is set; with one also what is empty; with "*" everything that can change."""
    account_id = (await call("CreateAccount", account=ada())).account.account_id

    async def update(*paths: str, **fields: Any) -> account_pb2.Account:
        response = await call(
            "UpdateAccount", account={"account_id": account_id, **fields}, update_mask={"paths": paths}
        )
        account: account_pb2.Account = response.account
        return account

    changed = await update(last_name="Lovelace", api_access=False)
    assert ("Ada", "Lovelace", False) == (changed.first_name, changed.last_name, changed.api_access)
    assert changed == (await call("GetAccount", account_id=account_id)).account
    assert ("", "Engines") == ((again := await update("company", name="ignored")).company, again.name)
    whole = ada(company="C", api_access=True, sandbox_only=True)
    assert ("C", True, True) == (
        (last := await update("*", **whole)).company,
        last.api_access,
        last.sandbox_only,
    )


async def test_a_policy_is_replaced_or_changed_in_one_field(call: Any, ada: Any) -> None:
    """As the mask says; the sandbox is no part of it."""
    policy = {"default_region": "GB", "allowed_countries": ["GB", "IE"]}
    created = (await call("CreateAccount", account=ada(policy=policy, sandbox_only=True))).account
    assert account_pb2.AccountPolicy(**policy) == created.policy

    async def update(*paths: str, **given: Any) -> account_pb2.Account:
        account = {"account_id": created.account_id, "policy": given}
        response = await call("UpdateAccount", account=account, update_mask={"paths": paths})
        changed: account_pb2.Account = response.account
        return changed

    changed = await update("policy.default_region", default_region="FR", allowed_countries=["FR"])
    assert account_pb2.AccountPolicy(default_region="FR", allowed_countries=["GB", "IE"]) == changed.policy
    changed = await update("policy", default_region="IE")
    assert (account_pb2.AccountPolicy(default_region="IE"), True) == (changed.policy, changed.sandbox_only)
    assert account_pb2.AccountPolicy() == (await update("policy.default_region")).policy


def test_every_field_of_a_policy_can_be_set() -> None:
    """The proto, the domain and what stands between them name the same ones."""
    fields = {field.name for field in account_pb2.AccountPolicy.DESCRIPTOR.fields}
    assert fields == FIELDS.keys()
    assert fields | {"sandbox_only"} == set(AccountPolicy.__dataclass_fields__)


@pytest.mark.parametrize(
    ("fields", "paths", "field"),
    [
        ({"email": "other@example.org"}, (), "account.email"),
        ({"parent_account_id": format_id(2)}, (), "account.parent_account_id"),
        ({"parent_account_id": "nonsense"}, (), "account.parent_account_id"),
        ({}, ("email",), "update_mask.paths[0]"),
        ({}, ("name",), "account.name"),
        ({}, ("first_name",), "account.first_name"),
        ({}, ("api_access",), "account.api_access"),
        ({"contact_number": "x"}, (), "account.contact_number"),
        ({"policy": {"default_region": "Oz"}}, (), "account.policy.default_region"),
        ({}, ("policy.sandbox_only",), "update_mask.paths[0]"),
    ],
)
async def test_what_stays_cannot_be_changed(call: Any, ada: Any, fields: Any, paths: Any, field: str) -> None:
    """Nor can what has to be there be taken away."""
    created = (await call("CreateAccount", account=ada())).account
    account = {"account_id": created.account_id, **fields}
    refusal = await call("UpdateAccount", account=account, update_mask={"paths": paths})
    assert (grpc.StatusCode.INVALID_ARGUMENT, {field}) == (refusal.code, refusal.violations.keys())
    assert created == (await call("GetAccount", account_id=created.account_id)).account


async def test_a_partner_changes_its_customers_and_not_itself(call: Any, made: Any) -> None:
    """That is for whoever is above it."""
    customer = await made(1, "partner")
    response = await call(
        "UpdateAccount", "partner", account={"account_id": customer.account_id, "name": "New"}
    )
    assert "New" == response.account.name
    for account in ({"name": "x"}, {"account_id": format_id(PARTNER_ACCOUNT), "name": "x"}):
        assert "ROLE_INSUFFICIENT" == (await call("UpdateAccount", "partner", account=account)).reason


async def test_nobody_locks_themselves_out(call: Any) -> None:
    """An administrator may change its own account, but not that its keys may call."""
    assert "me" == (await call("UpdateAccount", account={"name": "me"})).account.name
    refusal = await call("UpdateAccount", account={"api_access": False})
    assert {"account.api_access"} == refusal.violations.keys()


async def test_keys_of_an_account_without_api_access_are_refused(call: Any, clock: ManualClock) -> None:
    """Within a second; those above it may still act for it, and it may have access again."""
    partner = {"account_id": format_id(PARTNER_ACCOUNT)}
    await call("UpdateAccount", account=partner | {"api_access": False})
    for key in ("partner", "send", "read"):
        refusal = await call("GetAccount", key)
        assert (grpc.StatusCode.PERMISSION_DENIED, "API_ACCESS_DISABLED") == (refusal.code, refusal.reason)
    assert not (await call("GetAccount", **partner)).account.api_access
    await call("UpdateAccount", account=partner | {"api_access": True})
    clock.advance(1)
    assert (await call("GetAccount", "read")).account.api_access


async def test_only_an_administrator_ends_a_sandbox(call: Any, made: Any, ada: Any) -> None:
    """What a sandboxed partner makes is sandboxed, and it cannot say otherwise."""
    await call("UpdateAccount", account={"account_id": format_id(PARTNER_ACCOUNT), "sandbox_only": True})
    customer = await made(1, "partner")
    assert customer.sandbox_only
    account = {"account_id": customer.account_id, "sandbox_only": False}
    assert "ROLE_INSUFFICIENT" == (await call("UpdateAccount", "partner", account=account)).reason
    refusal = await call("CreateAccount", "partner", account=ada(sandbox_only=False))
    assert "ROLE_INSUFFICIENT" == refusal.reason
    assert not (await call("UpdateAccount", account=account)).account.sandbox_only
    again = {"account_id": customer.account_id, "sandbox_only": True}
    assert (await call("UpdateAccount", "partner", account=again)).account.sandbox_only


async def test_pages_hold_every_account_once(call: Any, made: Any) -> None:
    """The last has no token, and a token is for its own list."""
    for number in range(4):
        await made(number, "partner")
    everything = [each.account_id for each in (await call("ListAccounts")).accounts]
    pages: list[list[str]] = []
    token = ""
    while True:
        page = await call("ListAccounts", page_size=3, page_token=token)
        pages.append([each.account_id for each in page.accounts])
        token = page.next_page_token or token
        if not page.next_page_token:
            break
    assert (everything, [3, 3, 1]) == (
        [each for page in pages for each in page],
        [len(each) for each in pages],
    )
    refusal = await call("ListAccounts", "partner", page_size=2_000, page_token=token)
    assert {"page_size", "page_token"} == refusal.violations.keys()


async def test_quiet_hours_are_kept_whole(call: Any, ada: Any) -> None:
    """What is left out is shown as it is read: every day, UTC, waiting."""
    short = {"quiet_hours": {"start_minute": 1_200, "end_minute": 480}}
    whole = {
        "quiet_hours": {
            "start_minute": 1_200,
            "end_minute": 480,
            "days": [1, 2, 3, 4, 5, 6, 7],
            "time_zone": "UTC",
            "action": account_pb2.QUIET_ACTION_WAIT,
        }
    }
    created = (await call("CreateAccount", account=ada(policy=short))).account
    assert account_pb2.AccountPolicy(**whole) == created.policy
    refusing = account_pb2.QuietHours(end_minute=1, days=[7], time_zone="Asia/Tokyo", action=2)
    account = {"account_id": created.account_id, "policy": {"quiet_hours": refusing}}
    changed = await call("UpdateAccount", account=account, update_mask={"paths": ["policy.quiet_hours"]})
    assert refusing == changed.account.policy.quiet_hours


async def test_a_frequency_cap_is_kept_and_taken_back(call: Any, ada: Any) -> None:
    """As it was written."""
    cap = account_pb2.FrequencyCap(count=3, window=Duration(seconds=7 * 86_400))
    created = (await call("CreateAccount", account=ada(policy={"frequency_cap": cap}))).account
    assert cap == created.policy.frequency_cap
    bare = {"account_id": created.account_id}
    changed = await call("UpdateAccount", account=bare, update_mask={"paths": ["policy.frequency_cap"]})
    assert not changed.account.policy.HasField("frequency_cap")
