"""Events that move no message → protobuf: for each kind its payload, from what the event told.

The journal keeps what such an event says as JSON; a function here knows the shape that its kind's writer gave
it. What the message it came of has (its labels and addresses) is in the record.
"""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message

from broker.api.convert.broadcasts import broadcast_event
from broker.api.convert.consents import record_message
from broker.api.convert.ids import account_text
from broker.api.convert.inbound import inbound_event
from broker.api.convert.labels import campaign_message
from broker.api.convert.times import timestamp
from broker.api.convert.words import PB_OPT_IN_STATES
from broker.delivery.consents import Standing
from broker.domain.consent import Consent, Wish
from broker.domain.ids import format_id
from broker.domain.records import EventRecord
from broker.domain.vocabulary import EventKind
from waypost.v1 import event_pb2, price_pb2


def other_event_message(event: EventRecord) -> event_pb2.Event:
    """An event that is no message's change, as protobuf."""
    field, payload_of = _PAYLOADS[event.kind]
    payload: dict[str, Any] = {field: payload_of(event, event.told or {})}
    return event_pb2.Event(
        sequence=event.sequence,
        time=timestamp(event.time_us),
        account_id=account_text(event.account_id),
        **payload,
    )


def _click(event: EventRecord, told: Mapping[str, Any]) -> event_pb2.ClickEvent:
    labels = event.labels
    return event_pb2.ClickEvent(
        message_id=format_id(event.message_id),
        url=told.get("url", ""),
        short_url=told.get("short_url", ""),
        # A deletion erases what was told, also when; the event is of about that time.
        click_time=timestamp(told.get("clicked_at_us", event.time_us)),
        client_reference=event.client_reference,
        campaign=campaign_message(labels.campaign),
        data=event.data,
        tags=labels.tags,
    )


def _opt_in(event: EventRecord, told: Mapping[str, Any]) -> event_pb2.OptInEvent:
    wish = Wish(Consent(told["state"]), told["since_us"], told["sender"], told["organisation_name"])
    standing = Standing(told["sender"], told["recipient"], wish, Consent(told["before"]))
    return event_pb2.OptInEvent(
        record=record_message(standing),
        previous_state=PB_OPT_IN_STATES[standing.before],
        message_id=format_id(event.message_id) if event.message_id else "",
    )


def _balance(_event: EventRecord, told: Mapping[str, Any]) -> event_pb2.BalanceEvent:
    currency = told["currency"]
    return event_pb2.BalanceEvent(
        balance=price_pb2.Price(amount_micros=told["available"], currency=currency),
        threshold=price_pb2.Price(amount_micros=told["mark"], currency=currency),
    )


def _broadcast(_event: EventRecord, told: Mapping[str, Any]) -> event_pb2.BroadcastEvent:
    return broadcast_event(told)


_PAYLOADS: Mapping[EventKind, tuple[str, Callable[[EventRecord, Mapping[str, Any]], Message]]] = {
    EventKind.CLICK: ("click", _click),
    EventKind.INBOUND: ("inbound", inbound_event),
    EventKind.OPT_IN: ("opt_in", _opt_in),
    EventKind.BALANCE: ("balance", _balance),
    EventKind.BROADCAST: ("broadcast", _broadcast),
}
"""By kind: the field of Event, and what fills it."""
