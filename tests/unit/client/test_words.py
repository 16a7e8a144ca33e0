"""The client's words and those of the protos are the same."""

import pytest

from waypost import Channel, Reason, Status
from waypost.wire.words import (
    CHANNELS,
    DELEGATIONS,
    DIRECTIONS,
    ENCODINGS,
    FACTS,
    GUARANTEES,
    REASONS,
    SENDER_CAPABILITIES,
    SENDER_KINDS,
    STATUSES,
    TRAFFICS,
)

ALL = [
    CHANNELS,
    DELEGATIONS,
    DIRECTIONS,
    ENCODINGS,
    FACTS,
    GUARANTEES,
    REASONS,
    SENDER_CAPABILITIES,
    SENDER_KINDS,
    STATUSES,
    TRAFFICS,
]


@pytest.mark.parametrize("words", ALL)
def test_every_word_has_a_number_and_every_number_a_word(words) -> None:
    """A word that the protos gained fails the import; one that they lack fails here."""
    known = set(words._words.values())
    assert {word for word in type(words._unrecognised) if word.name != "UNRECOGNISED"} == known


def test_a_number_of_a_newer_broker_is_unrecognised() -> None:
    """It is no exception: a program must survive the broker's upgrade."""
    assert Status.UNRECOGNISED is STATUSES.word(99)
    assert Reason.UNRECOGNISED is REASONS.optional(99)


def test_unspecified_is_none_where_it_means_nothing() -> None:
    """No reason is None, so that `if result.reason` reads as it should."""
    assert None is REASONS.optional(0)


def test_a_status_that_must_be_set_is_unrecognised_without_a_number() -> None:
    """A field that a broker always fills is never None."""
    assert Status.UNRECOGNISED is STATUSES.word(0)


def test_words_go_back_to_their_numbers() -> None:
    """What is read can be asked for."""
    assert 5 == STATUSES.number(Status.DELIVERED)
    assert 0 == CHANNELS.number(None)


def test_unrecognised_cannot_be_asked_for() -> None:
    """It stands for numbers that nobody kept."""
    with pytest.raises(ValueError, match="does not know"):
        CHANNELS.number(Channel.UNRECOGNISED)


def test_a_word_prints_as_itself() -> None:
    """In logs and in f-strings."""
    assert "DELIVERED" == f"{Status.DELIVERED}"
