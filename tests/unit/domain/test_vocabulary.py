"""The broker's words are those of the protos."""

from enum import IntEnum

import pytest

from broker.domain.encoding import Encoding
from broker.domain.vocabulary import PRIORITIES, Channel, EventKind, Guarantee, Reason, Traffic
from waypost.v1 import channel_pb2, event_pb2, status_pb2


@pytest.mark.parametrize(
    ("words", "prefix", "proto"),
    [
        (Channel, "CHANNEL", channel_pb2.Channel),
        (Traffic, "TRAFFIC", channel_pb2.Traffic),
        (Guarantee, "GUARANTEE", channel_pb2.Guarantee),
        (Encoding, "ENCODING", channel_pb2.Encoding),
        (EventKind, "EVENT_KIND", event_pb2.EventKind),
    ],
    ids=["Channel", "Traffic", "Guarantee", "Encoding", "EventKind"],
)
def test_numbers_equal_those_of_the_protos(words: type[IntEnum], prefix: str, proto) -> None:
    """What is stored can be shown without a table; only UNSPECIFIED has no word."""
    ours = {f"{prefix}_{word.name}": word.value for word in words}
    assert dict(proto.items()) == ours | {f"{prefix}_UNSPECIFIED": 0}


def test_reasons_are_those_of_the_protos() -> None:
    """By name; their text is for people."""
    assert set(status_pb2.Reason.keys()) == {f"REASON_{reason.name}" for reason in Reason} | {
        "REASON_UNSPECIFIED"
    }


def test_every_reason_has_a_text() -> None:
    """Two with the same text would be one reason under two names."""
    assert len(Reason.__members__) == len({reason.value for reason in Reason})


def test_passcodes_go_first_and_marketing_last() -> None:
    """Among what is due at the same time."""
    order = sorted(Traffic, key=lambda traffic: traffic.priority)
    assert (Traffic.PASSCODE, Traffic.PROMOTIONAL) == (order[0], order[-1])
    assert set(PRIORITIES) == {traffic.priority for traffic in Traffic}
