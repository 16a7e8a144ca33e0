"""Events as lines: aligned columns for people, JSON for programs."""

import os
import sys
from collections.abc import Callable, Iterable

from broker.cli.amounts import amount_text
from broker.cli.json_lines import fields_of, print_line
from broker.cli.wording import local_time, printable, status_word, what_happened, word_of
from waypost.v1 import broadcast_pb2, event_pb2, opt_in_pb2

_COLOURS = {
    "DELIVERED": "32",
    "REJECTED": "31",
    "DELIVERY_FAILED": "31",
    "SENDING_FAILED": "31",
    "EXPIRED": "31",
    "UNKNOWN": "33",
}
_STATUS_WIDTH = 15
_RECIPIENT_WIDTH = 16
_PROVIDER_WIDTH = 10


def print_events(events: Iterable[event_pb2.Event], *, json: bool) -> None:
    """Print each event on a line of its own, at once."""
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for event in events:
        if json:
            print_line(fields_of(event))
        else:
            print(event_line(event, coloured=coloured))
    sys.stdout.flush()


def event_line(event: event_pb2.Event, *, coloured: bool = False) -> str:
    """Time, status, previous status, recipient, provider, what happened."""
    payload = event.WhichOneof("payload") or ""
    columns = _COLUMNS.get(payload)
    if columns is None:  # a kind that a later broker has
        return f"{local_time(event.time)}  {payload or 'unknown event'}"
    status, previous, recipient, provider, happened = (printable(each) for each in columns(event))
    padded = f"{status:<{_STATUS_WIDTH}}"
    if coloured and status in _COLOURS:
        padded = f"\x1b[{_COLOURS[status]}m{padded}\x1b[0m"
    return (
        f"{local_time(event.time)}  {padded}  {previous:<{_STATUS_WIDTH}}  "
        f"{recipient:<{_RECIPIENT_WIDTH}}  {provider:<{_PROVIDER_WIDTH}}  {happened}"
    ).rstrip()


_Columns = tuple[str, str, str, str, str]


def _message(event: event_pb2.Event) -> _Columns:
    message = event.message
    return (
        status_word(message.status),
        status_word(message.previous_status),
        message.recipient,
        message.provider,
        what_happened(message),
    )


def _inbound(event: event_pb2.Event) -> _Columns:
    inbound = event.inbound
    return "INBOUND", "", inbound.sender, inbound.provider, f"to {inbound.recipient}: {inbound.text}"


def _broadcast(event: event_pb2.Event) -> _Columns:
    states = broadcast_pb2.BroadcastState.DESCRIPTOR
    now, before = event.broadcast.broadcast, event.broadcast.previous_state
    return word_of(states, now.state), word_of(states, before), "", "", f"broadcast {now.broadcast_id}"


def _opt_in(event: event_pb2.Event) -> _Columns:
    states = opt_in_pb2.OptInState.DESCRIPTOR
    record, before = event.opt_in.record, event.opt_in.previous_state
    happened = f"about {record.sender or 'every sender'}"
    return word_of(states, record.state), word_of(states, before), record.recipient, "", happened


def _click(event: event_pb2.Event) -> _Columns:
    click = event.click
    return "CLICK", "", "", "", f"{click.url or 'a link'} in message {click.message_id}"


def _balance(event: event_pb2.Event) -> _Columns:
    left, mark = event.balance.balance, event.balance.threshold
    happened = (
        f"{amount_text(left.amount_micros)} {left.currency} left, less than {amount_text(mark.amount_micros)}"
    )
    return "BALANCE", "", "", "", happened


_COLUMNS: dict[str, Callable[[event_pb2.Event], _Columns]] = {
    "message": _message,
    "inbound": _inbound,
    "broadcast": _broadcast,
    "opt_in": _opt_in,
    "click": _click,
    "balance": _balance,
}
