"""Groupcall's usage: every number of every row is a count."""

import json
from datetime import date

import pytest

from broker.spi import UpstreamUsage
from waypost_groupcall.usage import NoUsage, counts, document

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)


def told(answer, settings, status=200):
    """The counts of an answer."""
    return counts(status, json.dumps(answer).encode(), settings)


@pytest.mark.covers("usage.dates")
def test_a_range_is_asked_for(customer):
    """Its names are settings."""
    assert {"StartDate": "2026-03-01", "EndDate": "2026-03-31"} == document(FIRST, LAST, customer())
    settings = customer(names={"start_date": "from", "end_date": "to"})
    assert {"from": "2026-03-01", "to": "2026-03-31"} == document(FIRST, LAST, settings)


@pytest.mark.covers("usage.fetch")
@pytest.mark.parametrize("wrapped", [False, True])
def test_rows_are_counted_under_their_own_words(customer, wrapped):
    """Ids count nothing; a row's day is the count's."""
    rows = [
        {
            "Date": "2026-03-01T00:00:00",
            "MessageType": "SMS",
            "Messages": 10,
            "Units": 12,
            "CustomerId": 1362,
        },
        {"MessageType": "Email", "Messages": 3, "Cost": None, "Final": True},
    ]
    expected = [
        UpstreamUsage("SMS Messages", 10, FIRST),
        UpstreamUsage("SMS Units", 12, FIRST),
        UpstreamUsage("Email Messages", 3, None),
    ]
    assert expected == told({"CustomerId": 1362, "Usage": rows} if wrapped else rows, customer())


def test_an_object_may_be_the_one_row(customer):
    """Of all days that were asked for."""
    assert [UpstreamUsage("Units", 7)] == told({"CustomerId": 1362, "Units": 7}, customer())


def test_nothing_used_is_no_count(customer):
    """An empty list is an answer."""
    assert [] == told([], customer())


@pytest.mark.parametrize("answer", [{}, {"statusMsg": "In Queue"}, "7", 7, None, [7], {"a": [], "b": []}])
def test_what_is_no_usage_is_told_as_such(customer, answer):
    """Rather than as nothing used."""
    with pytest.raises(NoUsage, match="unreadable"):
        told(answer, customer())


def test_a_failure_is_told_by_its_status(customer):
    """And by nothing else that it says."""
    with pytest.raises(NoUsage, match="http_500"):
        told({"Messages": 7}, customer(), status=500)
