"""Statuses, facts and reasons as people read them."""

from collections.abc import Callable
from datetime import datetime

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
}


def status_word(number: int) -> str:
    """A status as "DELIVERED"; one that this version does not know as its number; none as ""."""
    return _word(status_pb2.MessageStatus.Name, "MESSAGE_STATUS_", number)


def reason_word(number: int) -> str:
    """A reason as "OPTED_OUT"; one that this version does not know as its number; none as ""."""
    return _word(status_pb2.Reason.Name, "REASON_", number)


def what_happened(event: event_pb2.MessageEvent) -> str:
    """One event in a few words: what happened, and the provider's code or else the reason."""
    fact = _FACTS.get(event.fact) or _word(status_pb2.MessageFact.Name, "MESSAGE_FACT_", event.fact)
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


def _word(name_of: Callable[[int], str], prefix: str, number: int) -> str:
    if number == 0:
        return ""
    try:
        return name_of(number).removeprefix(prefix)
    except ValueError:
        return str(number)
