"""Usage on the wire: which counts can be asked for, and how they are told."""

from datetime import date

import grpc
import pytest

from broker.api.convert.ids import account_text
from broker.domain.lifecycle import State
from broker.domain.usage import Dimension, Usage, UsageQuery, UsageUnit
from broker.domain.vocabulary import Channel
from tests.unit.api.fakes import ADMIN, NOW_US, OTHER_ACCOUNT, OWN_ACCOUNT, READER, SENDER
from waypost.v1 import usage_pb2

METHOD = "BrokerService/Usage"
TODAY = date(2026, 9, 21)


async def asked(api, key=READER, **fields):
    """The answer to a request, or its refusal."""
    return await api.call(METHOD, usage_pb2.UsageRequest(**fields), usage_pb2.UsageResponse, key)


async def test_nothing_said_is_the_last_thirty_days_of_the_keys_account(api):
    """Messages, in one total, in UTC."""
    await asked(api)
    assert [UsageQuery((OWN_ACCOUNT,), date(2026, 8, 23), TODAY)] == api.usage.queries
    assert 1_790_000_000_000_000 == NOW_US


async def test_every_field_reaches_the_counting(api):
    """In the order of the request."""
    accounts = [account_text(OTHER_ACCOUNT), account_text(OWN_ACCOUNT)]
    await asked(
        api,
        ADMIN,
        start_date="2026-03-01",
        end_date="2027-04-04",
        group_by=range(8, 0, -1),
        unit=usage_pb2.USAGE_UNIT_UNITS,
        time_zone="Asia/Kathmandu",
        include_refunded=True,
        include_opted_out=True,
        account_ids=accounts,
    )
    expected = UsageQuery(
        (OTHER_ACCOUNT, OWN_ACCOUNT),
        date(2026, 3, 1),
        date(2027, 4, 4),
        "Asia/Kathmandu",
        tuple(sorted(Dimension, reverse=True)),
        UsageUnit.UNITS,
        include_refunded=True,
        include_opted_out=True,
    )
    assert [expected] == api.usage.queries


async def test_rows_are_told_in_words(api):
    """Two states that clients see as SENT are one row."""
    api.usage.answer = Usage(
        {
            (TODAY, 1, Channel.SMS, "acme", "spring", "vip", "GB", State.SENT): 3,
            (TODAY, 1, Channel.SMS, "acme", "spring", "vip", "GB", State.SENT_FINAL): 4,
            (TODAY, 2, 0, "", "", "", "", State.REJECTED): 1,
        },
        7,
    )
    answer = await asked(api, group_by=range(1, 9))
    words = ["2026-09-21", account_text(1), "SMS", "acme", "spring", "vip", "GB", "SENT"]
    nothing = ["2026-09-21", account_text(2), "", "", "", "", "", "REJECTED"]
    assert [(words, 7), (nothing, 1)] == [(list(row.group), row.count) for row in answer.rows]
    assert 7 == answer.total


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"start_date": "2026-3-1"}, "start_date"),
        ({"start_date": "1999-12-31"}, "start_date"),
        ({"end_date": "2200-01-01"}, "end_date"),
        ({"end_date": "2026-02-30"}, "end_date"),
        ({"end_date": "\u0661234-01-01"}, "end_date"),
        ({"start_date": "2026-03-02", "end_date": "2026-03-01"}, "end_date"),
        ({"start_date": "2025-01-01", "end_date": "2026-02-05"}, "end_date"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"group_by": [0]}, "group_by[0]"),
        ({"group_by": [1, 99]}, "group_by[1]"),
        ({"group_by": [1, 1]}, "group_by"),
        ({"unit": 9}, "unit"),
        ({"account_ids": ["x"] * 101}, "account_ids"),
    ],
)
async def test_what_cannot_be_counted_is_refused(api, fields, field):
    """With the field's name, and without asking the store."""
    refusal = await asked(api, **fields)
    assert (grpc.StatusCode.INVALID_ARGUMENT, [field]) == (refusal.code, list(refusal.violations))
    assert [] == api.usage.queries


@pytest.mark.parametrize("account_id", [account_text(OTHER_ACCOUNT), account_text(99), "x"])
async def test_another_account_is_as_unknown_as_none(api, account_id):
    """To a key that may not act for it."""
    refusal = await asked(api, SENDER, account_ids=[account_id])
    assert (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND") == (refusal.code, refusal.reason)
