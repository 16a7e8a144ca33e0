"""Senders to protobuf and back."""

from collections.abc import Sequence
from typing import TypeVar

from waypost.senders import Sender, SenderFields, SenderFilter
from waypost.v1 import sender_pb2
from waypost.v1 import sender_service_pb2 as pb
from waypost.vocabulary import SenderCapability, SenderKind
from waypost.wire.sends import texts
from waypost.wire.times import time_of
from waypost.wire.words import SENDER_CAPABILITIES, SENDER_KINDS

Word = TypeVar("Word", SenderKind, SenderCapability)


def sender_message(value: str, fields: SenderFields) -> sender_pb2.Sender:
    """A sender to register."""
    return sender_pb2.Sender(
        value=value,
        kind=SENDER_KINDS.number(fields.get("kind")),
        country=fields.get("country", ""),
        capabilities=map(SENDER_CAPABILITIES.number, _words(fields.get("capabilities", ()))),
        providers=texts(fields.get("providers", ())),
        pool=fields.get("pool", ""),
        tags=texts(fields.get("tags", ())),
        is_default=fields.get("is_default", False),
    )


def filter_message(only: SenderFilter) -> pb.SenderFilter:
    """Which senders to list."""
    return pb.SenderFilter(
        kinds=map(SENDER_KINDS.number, _words(only.get("kinds", ()))),
        capabilities=map(SENDER_CAPABILITIES.number, _words(only.get("capabilities", ()))),
        countries=texts(only.get("countries", ())),
        pools=texts(only.get("pools", ())),
        tags=texts(only.get("tags", ())),
        values=texts(only.get("values", ())),
    )


def sender_of(message: sender_pb2.Sender) -> Sender:
    """A registered sender."""
    return Sender(
        sender_id=message.sender_id,
        account_id=message.account_id,
        value=message.value,
        kind=SENDER_KINDS.word(message.kind),
        country=message.country,
        capabilities=frozenset(map(SENDER_CAPABILITIES.word, message.capabilities)),
        providers=tuple(message.providers),
        pool=message.pool,
        tags=tuple(message.tags),
        is_default=message.is_default,
        create_time=time_of(message.create_time),
    )


def _words(given: Word | Sequence[Word]) -> Sequence[Word]:
    """One word, or several."""
    return (given,) if isinstance(given, SenderKind | SenderCapability) else given
