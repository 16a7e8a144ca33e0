"""Accounts, keywords, credit and prices: values go to the wire and come back as they were."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from waypost import (
    AccountPolicy,
    CallbackMethod,
    Channel,
    FrequencyCap,
    PricedItem,
    PriceRule,
    QuietAction,
    QuietHours,
)
from waypost.v1 import account_pb2, keyword_pb2
from waypost.wire.accounts import account_of, new_account, update_of
from waypost.wire.credits import rule_message, rule_of
from waypost.wire.keywords import configure_request

WHOLE = AccountPolicy(
    default_region="GB",
    allowed_countries=("GB", "FR"),
    channels=(Channel.EMAIL, Channel.SMS),
    passcode_ignores_opt_out=True,
    inbound_waits=True,
    help_answer="Call us",
    stop_answer="Bye",
    start_answer="Hello",
    senders_registered_only=True,
    confirm_opt_ins=True,
    quiet_hours=QuietHours(
        start_minute=1_200,
        end_minute=1_440,
        days=(6, 7),
        time_zone="Europe/London",
        action=QuietAction.REFUSE,
    ),
    frequency_cap=FrequencyCap(count=3, window=timedelta(days=7)),
    enforce_credit=True,
    low_balance_micros=5,
    link_domains=("go.example.org",),
    track_links=True,
    web_parameters=("utm_source=sms",),
)


@pytest.mark.parametrize("name", [each.name for each in fields(AccountPolicy)])
def test_every_field_of_a_policy_survives(name: str) -> None:
    """By itself and with all others."""
    for policy in (WHOLE, replace(AccountPolicy(), **{name: getattr(WHOLE, name)})):
        request = new_account(policy, first_name="Ada")
        assert policy == account_of(request.account).policy
    assert getattr(WHOLE, name) != getattr(AccountPolicy(), name)


def test_a_policy_replaces_what_this_client_knows_and_nothing_else() -> None:
    """So an update by an older client takes nothing away from what a newer one has set."""
    paths = set(update_of("A", {"policy": AccountPolicy(), "name": "Ada"}).update_mask.paths)
    known = {f"policy.{each.name}" for each in fields(AccountPolicy)}
    assert {"name"} | known == paths
    assert known == {f"policy.{each.name}" for each in account_pb2.AccountPolicy.DESCRIPTOR.fields}


def test_every_field_of_a_price_survives() -> None:
    """And one that names nothing is of a message's unit."""
    whole = PriceRule(
        amount_micros=1,
        item=PricedItem.AUTOREPLY,
        provider="acme",
        channels=(Channel.SMS,),
        prefixes=("44",),
        countries=("GB",),
    )
    for rule in (whole, PriceRule(amount_micros=0)):
        assert rule == rule_of(rule_message(rule))


def test_only_what_is_given_of_a_keyword_changes() -> None:
    """Also to nothing."""
    request = configure_request(
        "12345", "join", "", {"autoreply": "Hi", "group_id": "", "callback_method": CallbackMethod.GET}
    )
    named = {field.name for field, _ in request.ListFields()}
    assert {"sender", "keyword", "autoreply", "group_id", "callback_method"} == named
    assert keyword_pb2.ConfigureKeywordRequest(sender="1", keyword="b") == configure_request("1", "b", "", {})


def test_a_field_that_keywords_do_not_have_is_refused() -> None:
    """A misspelt one must not do nothing."""
    with pytest.raises(TypeError, match="'reply'"):
        configure_request("12345", "join", "", {"reply": "Hi"})  # type: ignore[typeddict-unknown-key]
