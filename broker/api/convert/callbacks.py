"""EventRecord → what a callback says: the JSON body of a POST, and the parameters of a GET.

The body's `data` is the event as protobuf's JSON mapping has it, under the names of the protos, with two
changes that make it easier to read: every field is there, also one that is empty, and numbers are numbers.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict

from broker.api.convert.events import event_message
from broker.domain.callback_url import PARAMETERS
from broker.domain.records import EventRecord
from broker.domain.vocabulary import EventKind

_HAPPENS = {
    EventKind.INBOUND: "received",
    EventKind.BROADCAST: "moved",
    EventKind.OPT_IN: "changed",
    EventKind.CLICK: "followed",
    EventKind.BALANCE: "crossed",
}


def callback_body(event: EventRecord) -> bytes:
    """The body of a POST: `type`, `timestamp` and `data`, by the Standard Webhooks scheme."""
    data = _fields(event)
    return orjson.dumps({"type": event_type(event), "timestamp": data["time"], "data": data})


def event_type(event: EventRecord) -> str:
    """What happened, as "message.delivered": a message's fact, or what always happens to another kind."""
    word = _HAPPENS[event.kind] if event.change is None else event.change.fact.name.lower()
    return f"{event.kind.name.lower()}.{word}"


def callback_parameters(event: EventRecord) -> Mapping[str, str]:
    """The documented parameters of a GET, each as text; empty where there is nothing to say."""
    data = _fields(event)
    flat: dict[str, Any] = {"type": event_type(event), **data, **data[event.kind.name.lower()]}
    for holder in ("campaign", "price"):
        flat |= {f"{holder}_{name}": given for name, given in (flat.get(holder) or {}).items()}
    return {name: _text(flat.get(name)) for name in PARAMETERS}


def _fields(event: EventRecord) -> dict[str, Any]:
    message = event_message(event)
    data: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    data["sequence"] = event.sequence
    inner = data[event.kind.name.lower()]
    payload = getattr(message, event.kind.name.lower())
    for field in payload.DESCRIPTOR.fields:
        if field.message_type is not None and not field.is_repeated:
            inner.setdefault(field.name, None)
    if inner.get("price"):
        inner["price"]["amount_micros"] = int(inner["price"]["amount_micros"])
    return data


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return ",".join(map(str, value))
        case _:
            return str(value)
