"""The tables between the protos and the domain are complete, and the numbers agree."""

import pytest

from broker.api.convert import words
from broker.domain.callback import DisabledFor
from broker.domain.callback_url import CallbackMethod
from broker.domain.encoding import Encoding
from broker.domain.explaining import Verdict
from broker.domain.lifecycle import Fact, State
from broker.domain.parameter import ParameterType
from broker.domain.vocabulary import Channel, Direction, EventKind, Guarantee, Reason, Traffic
from broker.spi import Idempotency, ReceiptMode
from waypost.v1 import (
    channel_pb2,
    event_pb2,
    message_pb2,
    provider_pb2,
    route_pb2,
    send_pb2,
    status_pb2,
    template_pb2,
    webhook_pb2,
)

PAIRS = [
    (Channel, channel_pb2.Channel, "CHANNEL"),
    (Traffic, channel_pb2.Traffic, "TRAFFIC"),
    (Guarantee, channel_pb2.Guarantee, "GUARANTEE"),
    (Encoding, channel_pb2.Encoding, "ENCODING"),
    (Direction, message_pb2.Direction, "DIRECTION"),
    (EventKind, event_pb2.EventKind, "EVENT_KIND"),
    (Fact, status_pb2.MessageFact, "MESSAGE_FACT"),
    (CallbackMethod, send_pb2.CallbackMethod, "CALLBACK_METHOD"),
    (DisabledFor, webhook_pb2.WebhookDisableReason, "WEBHOOK_DISABLE_REASON"),
    (Verdict, route_pb2.RouteVerdict, "ROUTE_VERDICT"),
    (ParameterType, template_pb2.TemplateParameterType, "TEMPLATE_PARAMETER_TYPE"),
]
NAMED = [
    (Reason, status_pb2.Reason, "REASON"),
    (ReceiptMode, provider_pb2.ReceiptMode, "RECEIPT_MODE"),
    (Idempotency, provider_pb2.IdempotencyMode, "IDEMPOTENCY_MODE"),
]


def proto_words(pb, prefix):
    """Every word of a proto enumeration but the unspecified one, without its prefix."""
    return {name.removeprefix(f"{prefix}_"): number for name, number in pb.items() if number}


@pytest.mark.parametrize(("word", "pb", "prefix"), PAIRS, ids=lambda each: getattr(each, "__name__", ""))
def test_names_and_numbers_are_the_same_on_both_sides(word, pb, prefix):
    """No word is on one side only."""
    assert proto_words(pb, prefix) == {each.name: each.value for each in word}


@pytest.mark.parametrize(("word", "pb", "prefix"), NAMED, ids=lambda each: getattr(each, "__name__", ""))
def test_names_are_the_same_on_both_sides(word, pb, prefix):
    """Where the domain has no numbers."""
    assert proto_words(pb, prefix).keys() == {each.name for each in word}


def test_every_state_is_shown_and_every_status_but_deleted_is_a_state():
    """SENT_FINAL is shown as SENT; DELETED is a flag beside the state."""
    expected = proto_words(status_pb2.MessageStatus, "MESSAGE_STATUS")
    shown = {state: words.PB_STATUSES[state] for state in State}
    assert {**{name: number for name, number in expected.items() if name != "DELETED"}, "SENT_FINAL": 4} == {
        state.name: status for state, status in shown.items()
    }


def test_filtering_by_sent_finds_both_states_that_are_shown_as_sent():
    """Every other status is one state."""
    assert frozenset({State.SENT, State.SENT_FINAL}) == words.STATES_SHOWN_AS[4]
    assert set(State) == set().union(*words.STATES_SHOWN_AS.values())
    assert [1] * 10 == [len(states) for status, states in words.STATES_SHOWN_AS.items() if status != 4]


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (words.PB_CHANNELS, words.CHANNELS),
        (words.PB_TRAFFICS, words.TRAFFICS),
        (words.PB_GUARANTEES, words.GUARANTEES),
        (words.PB_DIRECTIONS, words.DIRECTIONS),
    ],
)
def test_a_word_comes_back_as_it_went(there, back):
    """Out to the wire and in again."""
    members = [each for each in there if each is not None]
    assert members == [back[there[each]] for each in members]


def test_every_fact_reason_encoding_and_mode_has_a_number():
    """None is the unspecified one."""
    assert set(Fact) == words.PB_FACTS.keys()
    assert {*Reason, None} == words.PB_REASONS.keys()
    assert {*Encoding, None} == words.PB_ENCODINGS.keys()
    assert set(ReceiptMode) == words.PB_RECEIPT_MODES.keys()
    assert set(Idempotency) == words.PB_IDEMPOTENCY_MODES.keys()
    assert set(EventKind) == set(words.EVENT_KINDS.values()) == words.PB_EVENT_KINDS.keys()
    assert set(Fact) == set(words.FACTS.values())
    assert set(CallbackMethod) == set(words.CALLBACK_METHODS.values())
    assert {*DisabledFor, None} == words.PB_DISABLE_REASONS.keys()
