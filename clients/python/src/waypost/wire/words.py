"""Enumerations: protobuf's numbers, and the client's words."""

from enum import StrEnum
from typing import Any, Generic, TypeVar

from google.protobuf.descriptor import EnumDescriptor

from waypost.v1 import (
    account_pb2,
    api_key_pb2,
    broadcast_pb2,
    broadcast_service_pb2,
    channel_pb2,
    event_pb2,
    message_pb2,
    opt_in_pb2,
    price_service_pb2,
    recipient_pb2,
    send_pb2,
    sender_pb2,
    status_pb2,
    usage_pb2,
)
from waypost.vocabulary import (
    BroadcastState,
    CallbackMethod,
    Channel,
    Delegation,
    Direction,
    Encoding,
    Fact,
    FileFormat,
    Guarantee,
    InboundAssignment,
    InboundKind,
    OptInState,
    PricedItem,
    QuietAction,
    Reason,
    Role,
    SenderCapability,
    SenderKind,
    Status,
    Traffic,
    UsageDimension,
    UsageUnit,
)

Word = TypeVar("Word", bound=StrEnum)


class Words(Generic[Word]):
    """One enumeration. 0, UNSPECIFIED, is no word; UNRECOGNISED stands for every number that is none here."""

    def __init__(self, words: type[Word], enumeration: EnumDescriptor, prefix: str) -> None:
        named = {
            value.name.removeprefix(prefix): value.number for value in enumeration.values if value.number
        }
        self._words = {number: words(name) for name, number in named.items()}
        self._numbers = {word: number for number, word in self._words.items()}
        self._unrecognised = words("UNRECOGNISED")

    def word(self, number: int) -> Word:
        """The word of a number that is always set."""
        return self._words.get(number, self._unrecognised)

    def optional(self, number: int) -> Word | None:
        """The word of a number; None for UNSPECIFIED."""
        return self._words.get(number, self._unrecognised) if number else None

    def number(self, word: Word | None) -> Any:
        """A word's number, of the stubs' own type for it; 0 for None.

        Raises ValueError for UNRECOGNISED, which cannot be asked for.
        """
        if word is None:
            return 0
        if word is self._unrecognised:
            raise ValueError(f"{type(word).__name__}.{word.name} stands for what this client does not know")
        return self._numbers[word]


STATUSES = Words(Status, status_pb2.MessageStatus.DESCRIPTOR, "MESSAGE_STATUS_")
FACTS = Words(Fact, status_pb2.MessageFact.DESCRIPTOR, "MESSAGE_FACT_")
REASONS = Words(Reason, status_pb2.Reason.DESCRIPTOR, "REASON_")
SENDER_KINDS = Words(SenderKind, sender_pb2.SenderKind.DESCRIPTOR, "SENDER_KIND_")
SENDER_CAPABILITIES = Words(SenderCapability, sender_pb2.SenderCapability.DESCRIPTOR, "SENDER_CAPABILITY_")
CHANNELS = Words(Channel, channel_pb2.Channel.DESCRIPTOR, "CHANNEL_")
DELEGATIONS = Words(Delegation, recipient_pb2.Delegation.DESCRIPTOR, "DELEGATION_")
TRAFFICS = Words(Traffic, channel_pb2.Traffic.DESCRIPTOR, "TRAFFIC_")
DIRECTIONS = Words(Direction, message_pb2.Direction.DESCRIPTOR, "DIRECTION_")
INBOUND_KINDS = Words(InboundKind, event_pb2.InboundKind.DESCRIPTOR, "INBOUND_KIND_")
INBOUND_ASSIGNMENTS = Words(InboundAssignment, event_pb2.InboundAssignment.DESCRIPTOR, "INBOUND_ASSIGNMENT_")
GUARANTEES = Words(Guarantee, channel_pb2.Guarantee.DESCRIPTOR, "GUARANTEE_")
CALLBACK_METHODS = Words(CallbackMethod, send_pb2.CallbackMethod.DESCRIPTOR, "CALLBACK_METHOD_")
ENCODINGS = Words(Encoding, channel_pb2.Encoding.DESCRIPTOR, "ENCODING_")
USAGE_UNITS = Words(UsageUnit, usage_pb2.UsageUnit.DESCRIPTOR, "USAGE_UNIT_")
USAGE_DIMENSIONS = Words(UsageDimension, usage_pb2.UsageDimension.DESCRIPTOR, "USAGE_DIMENSION_")
OPT_IN_STATES = Words(OptInState, opt_in_pb2.OptInState.DESCRIPTOR, "OPT_IN_STATE_")
BROADCAST_STATES = Words(BroadcastState, broadcast_pb2.BroadcastState.DESCRIPTOR, "BROADCAST_STATE_")
FILE_FORMATS = Words(FileFormat, broadcast_service_pb2.FileFormat.DESCRIPTOR, "FILE_FORMAT_")
ROLES = Words(Role, api_key_pb2.Role.DESCRIPTOR, "ROLE_")
PRICED_ITEMS = Words(PricedItem, price_service_pb2.PricedItem.DESCRIPTOR, "PRICED_ITEM_")
QUIET_ACTIONS = Words(QuietAction, account_pb2.QuietAction.DESCRIPTOR, "QUIET_ACTION_")
