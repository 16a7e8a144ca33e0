"""Filters: every set that is not empty must contain the event's value."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.lifecycle import Fact, State
from broker.domain.records import EventFilter, EventRecord, Labels, MessageChange
from broker.domain.submission import Campaign
from broker.domain.vocabulary import Channel, EventKind

EVENT = EventRecord(
    account_id=1,
    sequence=7,
    time_us=1_790_000_000_000_000,
    message_id=100,
    change=MessageChange(Fact.DELIVERED, State.DELIVERED, State.SENT),
    recipient="+447700900123",
    sender="Waypost",
    channel=Channel.SMS,
    units=1,
    client_reference="order-1",
    data="blue",
    labels=Labels(
        Campaign("spring", "Spring sale"), tags=("vip", "london"), origin="crm", reply_to_message_id=90
    ),
)
BARE = replace(EVENT, client_reference="", data="", labels=Labels())

# For each field: a set that EVENT passes, and one that it does not.
CASES: dict[str, tuple[frozenset[Any], frozenset[Any]]] = {
    "message_ids": (frozenset({100, 101}), frozenset({101})),
    "client_references": (frozenset({"order-1", "order-2"}), frozenset({"order-2", "Order-1"})),
    "campaigns": (frozenset({"spring"}), frozenset({"Spring sale"})),
    "tags": (frozenset({"london", "paris"}), frozenset({"paris"})),
    "data": (frozenset({"blue"}), frozenset({"red", ""})),
    "reply_to_message_ids": (frozenset({90}), frozenset({100})),
    "origins": (frozenset({"crm"}), frozenset({"shop", ""})),
    "kinds": (frozenset({EventKind.MESSAGE, EventKind.CLICK}), frozenset({EventKind.INBOUND})),
}
UNMATCHED = {name: EventFilter(**{name: refused}) for name, (_, refused) in CASES.items()}
MATCHED = {name: EventFilter(**{name: passed}) for name, (passed, _) in CASES.items()}


def test_every_field_has_a_case() -> None:
    """A new field of the filter needs a line here; broadcasts have a test of their own."""
    assert {field.name for field in fields(EventFilter)} == CASES.keys() | {"broadcast_ids"}


@pytest.mark.parametrize("event", [EVENT, BARE], ids=["labelled", "bare"])
def test_an_empty_filter_passes_every_event(event: EventRecord) -> None:
    """And says so, so that its frames can be shared."""
    assert (True, True) == (EventFilter().matches(event), EventFilter().matches_all)


@pytest.mark.parametrize("name", CASES)
def test_a_set_passes_what_it_contains(name: str) -> None:
    """Several values in a set are alternatives."""
    assert MATCHED[name].matches(EVENT)


@pytest.mark.parametrize("name", CASES)
def test_a_set_stops_what_it_does_not_contain(name: str) -> None:
    """By the exact value: case and names do not match."""
    assert not UNMATCHED[name].matches(EVENT)


@pytest.mark.parametrize("name", sorted(CASES.keys() - {"message_ids", "kinds"}))
def test_a_set_stops_an_event_that_has_no_such_value(name: str) -> None:
    """Absent is not a match for anything."""
    assert not MATCHED[name].matches(BARE)


@pytest.mark.parametrize("name", [*CASES, "broadcast_ids"])
def test_a_filter_with_any_set_does_not_match_all(name: str) -> None:
    """Whatever the set holds."""
    assert not EventFilter(**{name: frozenset({1})}).matches_all


@given(st.dictionaries(st.sampled_from(list(CASES)), st.booleans()))
def test_an_event_passes_when_every_set_contains_its_value(chosen: dict[str, bool]) -> None:
    """Sets of different fields must all hold."""
    sets = {name: CASES[name][0 if passes else 1] for name, passes in chosen.items()}
    assert all(chosen.values()) == EventFilter(**sets).matches(EVENT)


def test_a_broadcast_filter_passes_nothing_yet() -> None:
    """No message belongs to a broadcast, so nothing is the true answer."""
    assert not EventFilter(broadcast_ids=frozenset({1})).matches(EVENT)
