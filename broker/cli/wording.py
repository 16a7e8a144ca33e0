"""Statuses, facts and reasons as people read them."""

from datetime import datetime

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from waypost.v1 import event_pb2, send_pb2, status_pb2

_FACTS: dict[int, str] = {
    status_pb2.MESSAGE_FACT_ACCEPTED: "accepted",
    status_pb2.MESSAGE_FACT_SCHEDULED: "scheduled",
    status_pb2.MESSAGE_FACT_REFUSED: "refused by the broker",
    status_pb2.MESSAGE_FACT_ATTEMPTED: "being handed over",
    status_pb2.MESSAGE_FACT_HANDED_OVER: "taken by the provider",
    status_pb2.MESSAGE_FACT_HANDED_OVER_UNTRACKED: "taken by the provider, which never reports",
    status_pb2.MESSAGE_FACT_DEFERRED: "not taken, tried again",
    status_pb2.MESSAGE_FACT_DOUBTED: "answer lost, provider asked",
    status_pb2.MESSAGE_FACT_REFUSED_UPSTREAM: "refused by the provider",
    status_pb2.MESSAGE_FACT_EXHAUSTED: "no attempts left",
    status_pb2.MESSAGE_FACT_LAPSED: "validity passed",
    status_pb2.MESSAGE_FACT_LOST: "nobody can tell",
    status_pb2.MESSAGE_FACT_CANCELLED: "cancelled",
    status_pb2.MESSAGE_FACT_DELIVERED: "delivered",
    status_pb2.MESSAGE_FACT_UNDELIVERED: "could not be delivered",
    status_pb2.MESSAGE_FACT_PART_DELIVERED: "a part delivered",
    status_pb2.MESSAGE_FACT_LATE_RECEIPT: "another receipt",
    status_pb2.MESSAGE_FACT_READ: "read",
    status_pb2.MESSAGE_FACT_CLICKED: "link followed",
    status_pb2.MESSAGE_FACT_PROGRESSED: "passed on by the provider",
    status_pb2.MESSAGE_FACT_REROUTED: "goes to another provider",
    status_pb2.MESSAGE_FACT_CHANNEL_CHANGED: "goes on by another channel",
    status_pb2.MESSAGE_FACT_DELETED: "deleted",
    status_pb2.MESSAGE_FACT_RECEIVED: "received",
}


def status_word(number: int) -> str:
    """A status as "DELIVERED"."""
    return word_of(status_pb2.MessageStatus.DESCRIPTOR, number)


def reason_word(number: int) -> str:
    """A reason as "OPTED_OUT"."""
    return word_of(status_pb2.Reason.DESCRIPTOR, number)


def word_of(enum: EnumDescriptor, number: int) -> str:
    """A value's name without its enum's; "" for unspecified, and the number where a later broker has more."""
    if number == 0:
        return ""
    value = enum.values_by_number.get(number)
    return str(number) if value is None else str(value.name).removeprefix(_prefix_of(enum))


def _prefix_of(enum: EnumDescriptor) -> str:
    return str(enum.values_by_number[0].name).removesuffix("UNSPECIFIED")


def what_happened(event: event_pb2.MessageEvent) -> str:
    """One event in a few words: what happened, and the provider's code or else the reason."""
    fact = _FACTS.get(event.fact) or word_of(status_pb2.MessageFact.DESCRIPTOR, event.fact)
    why = printable(event.provider_code) or reason_word(event.reason)
    return f"{fact} ({why})" if why else fact


def refusal_of(result: send_pb2.SendResult) -> str:
    """Why a recipient was refused."""
    return ": ".join(part for part in (reason_word(result.reason), printable(result.detail)) if part)


def local_time(time: Timestamp) -> str:
    """A time on this host's clock, to the millisecond."""
    moment = datetime.fromtimestamp(time.seconds).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}.{time.nanos // 1_000_000:03d}"


def printable(text: str) -> str:
    """Text from elsewhere without the characters that could steer a terminal."""
    return text if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)
