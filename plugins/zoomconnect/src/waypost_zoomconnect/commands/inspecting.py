"""Looking at ZoomConnect's own list of messages, and at what it makes of a text."""

import json
from decimal import Decimal
from typing import Any

from waypost_zoomconnect import questions
from waypost_zoomconnect.commands.failures import CommandFailed
from waypost_zoomconnect.commands.upstream import Upstream
from waypost_zoomconnect.exchange import Answer, Call, fields, identity

FIGURES = {
    "messageCreditCost": "message-credit-cost",
    "messageEncoding": "message-encoding",
    "messageLength": "message-length",
    "messageLengthWithinMaximumAllowed": "message-length-within-max-allowed",
    "numberOfMessages": "number-of-messages",
}
"""Figures of the full analysis, and where each can be asked for by itself."""


async def analysis(upstream: Upstream, text: str, to: str, *, each: bool) -> list[str]:
    """A line for each figure, from the full analysis or asked for one by one."""
    document = {"message": text, **({"recipientNumber": to} if to else {})}
    if not each:
        answer = await _asked(upstream, Call("POST", "messages/analyse/full", document=document))
        return [f"{name}: {_line(fields(answer.document).get(name))}" for name in FIGURES]
    told = []
    for name, path in FIGURES.items():
        answer = await _asked(upstream, Call("POST", f"messages/analyse/{path}", document=document))
        told.append(f"{name}: {_line(answer.document)}")
    return told


async def page_of_messages(upstream: Upstream, page: int, *, inbound: bool, unread: bool) -> list[str]:
    """A page of messages as lines of JSON."""
    wanted = {"page": str(page), "pageSize": str(upstream.settings.page_size)}
    if inbound:
        wanted["type"] = "INBOUND"
    if unread:
        wanted["read"] = "false"
    answer = await _asked(upstream, Call("GET", "messages/all", wanted))
    records = questions.records(answer)
    if records is None:
        raise CommandFailed("ZoomConnect answers no page of messages")
    return [_line(each) for each in records]


async def done_to_message(upstream: Upstream, deed: str, message_id: str) -> str:
    """What ZoomConnect says of a message once the deed is done."""
    found = identity(message_id)
    if not found:
        raise CommandFailed("that is no id of a message")
    calls = {
        "show": questions.record_call(found),
        "delete": questions.delete_call(found),
        "mark-read": questions.mark_call(found, read=True),
        "mark-unread": questions.mark_call(found, read=False),
    }
    answer = await _asked(upstream, calls[deed])
    return _line(answer.document) if answer.body else ""


async def _asked(upstream: Upstream, call: Call) -> Answer:
    answer = await upstream.ask(call)
    if not answer.ok:
        raise CommandFailed(f"ZoomConnect answers {answer.code}")
    return answer


def _line(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document, default=_number)


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)
