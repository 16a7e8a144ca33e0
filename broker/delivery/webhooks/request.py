"""A callback as it goes out: its URL, its body or its query, and the headers that prove where it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from broker.domain.callback import webhook_header_id
from broker.domain.callback_url import CallbackMethod, CallbackUrl, filled_in, parse_callback_url
from broker.domain.records import EventRecord
from broker.domain.signature import signed_headers
from broker.domain.value import value
from broker.storage.calling import Call


@dataclass(frozen=True, slots=True)
class Encoding:
    """How an event is said: the body of a POST, and the parameters of a GET."""

    body: Callable[[EventRecord], bytes]
    parameters: Callable[[EventRecord], Mapping[str, str]]


@value
class OutboundRequest:
    """A request to make. `url` is sent as it is written."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def request_of(call: Call, encoding: Encoding, now_us: int) -> OutboundRequest:
    """The request for a call that is made now. A GET is signed over its path and query, having no body."""
    url = parse_callback_url(call.url)
    assert isinstance(url, CallbackUrl)  # it was checked before it was stored
    callback = call.callback
    header_id = webhook_header_id(callback.account_id, callback.sequence, callback.webhook_id)
    time_s = now_us // 1_000_000
    if call.method is CallbackMethod.GET:
        target = filled_in(url.target, encoding.parameters(call.event))
        headers = signed_headers(header_id, time_s, target.encode(), call.secrets)
        return OutboundRequest("GET", url.with_target(target), headers, b"")
    body = encoding.body(call.event)
    headers = signed_headers(header_id, time_s, body, call.secrets)
    return OutboundRequest(
        "POST", url.with_target(url.target), {**headers, "content-type": "application/json"}, body
    )
