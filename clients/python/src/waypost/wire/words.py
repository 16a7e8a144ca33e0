"""Enumerations: protobuf's numbers, and the client's words."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from google.protobuf.descriptor import EnumDescriptor

from waypost.v1 import channel_pb2, status_pb2
from waypost.vocabulary import Channel, Encoding, Fact, Guarantee, Reason, Status, Traffic

Word = TypeVar("Word", bound=StrEnum)


def _numbers(enumeration: EnumDescriptor, prefix: str, words: type[Word]) -> Mapping[Word, int]:
    """Each word's number. UNSPECIFIED is no word; UNRECOGNISED has no number."""
    named = {value.name.removeprefix(prefix): value.number for value in enumeration.values if value.number}
    return {words(name): number for name, number in named.items()}


def _reader(numbers: Mapping[Word, int], words: type[Word]) -> Callable[[int], Word]:
    by_number = {number: word for word, number in numbers.items()}
    unrecognised = words("UNRECOGNISED")
    return lambda number: by_number.get(number, unrecognised)


def _optional_reader(numbers: Mapping[Word, int], words: type[Word]) -> Callable[[int], Word | None]:
    by_number: dict[int, Word | None] = {number: word for word, number in numbers.items()}
    by_number[0] = None
    unrecognised = words("UNRECOGNISED")
    return lambda number: by_number.get(number, unrecognised)


STATUSES = _numbers(status_pb2.MessageStatus.DESCRIPTOR, "MESSAGE_STATUS_", Status)
FACTS = _numbers(status_pb2.MessageFact.DESCRIPTOR, "MESSAGE_FACT_", Fact)
REASONS = _numbers(status_pb2.Reason.DESCRIPTOR, "REASON_", Reason)
CHANNELS = _numbers(channel_pb2.Channel.DESCRIPTOR, "CHANNEL_", Channel)
TRAFFICS = _numbers(channel_pb2.Traffic.DESCRIPTOR, "TRAFFIC_", Traffic)
GUARANTEES = _numbers(channel_pb2.Guarantee.DESCRIPTOR, "GUARANTEE_", Guarantee)
ENCODINGS = _numbers(channel_pb2.Encoding.DESCRIPTOR, "ENCODING_", Encoding)

status_of = _reader(STATUSES, Status)
fact_of = _reader(FACTS, Fact)
# Where the protos allow UNSPECIFIED, it is None.
previous_status_of = _optional_reader(STATUSES, Status)
reason_of = _optional_reader(REASONS, Reason)
channel_of = _optional_reader(CHANNELS, Channel)
traffic_of = _optional_reader(TRAFFICS, Traffic)
guarantee_of = _optional_reader(GUARANTEES, Guarantee)
encoding_of = _optional_reader(ENCODINGS, Encoding)


def number_of(word: StrEnum | None, numbers: Mapping[Word, int]) -> int:
    """A word's number; 0, UNSPECIFIED, for None. Raises ValueError for UNRECOGNISED: it cannot be asked for."""
    if word is None:
        return 0
    number = numbers.get(word)  # type: ignore[call-overload]
    if number is None:
        raise ValueError(f"{type(word).__name__}.{word.name} cannot be sent")
    return int(number)
