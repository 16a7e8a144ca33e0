"""What a phone says, told to the sandbox over its callback address: anybody can write to us, at any time.

A POST of JSON or of a form, or a GET, with `from`, `to` and `text`; `id` is the message's own and may be left out.
"""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl
from uuid import uuid4

from broker.spi import CallbackAnswer, CallbackRequest, Inbound

PATH = "say"
BAD = CallbackAnswer(status=400, body=b"from, to and text are needed, as JSON, a form or a query")


def said(request: CallbackRequest) -> CallbackAnswer:
    """The message that a request tells of, or why it tells of none."""
    if request.path != PATH:
        return CallbackAnswer(status=404, body=b"the phone's path is say")
    fields = _fields(request)
    if fields is None or not all(isinstance(fields.get(name), str) for name in ("from", "to", "text")):
        return BAD
    identity = str(fields.get("id") or f"phone-{uuid4()}")
    message = Inbound(
        sender=str(fields["from"]),
        recipient=str(fields["to"]),
        text=str(fields["text"]),
        provider_message_id=identity,
    )
    return CallbackAnswer([message], body=identity.encode())


def _fields(request: CallbackRequest) -> Mapping[str, object] | None:
    if request.method == "GET":
        return dict(request.query)
    if "json" not in request.headers.get("content-type", ""):
        return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    try:
        fields = json.loads(request.body)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None
