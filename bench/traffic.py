"""The messages that all load is made of: one text to one number, with a reference and a sender."""

import os
from collections.abc import Iterator
from itertools import cycle

from waypost.v1 import content_pb2, recipient_pb2, send_pb2

REFERENCES = 100
"""Client references in rotation, so that a filter on one of them matches 1 %."""

FRAME_REQUESTS = 100
TEXT = "Your parcel is on its way and comes between 9 and 11. Answer STOP to hear no more of it."


def request(number: int, request_id: str = "") -> send_pb2.SendRequest:
    """The request of a running number. None ends in digits that the sandbox treats specially."""
    return send_pb2.SendRequest(
        request_id=request_id,
        recipients=[recipient_pb2.Recipient(phone_number=f"+44770090{1_000 + number % 9_000}")],
        content=content_pb2.Content(sms=content_pb2.SmsContent(text=TEXT)),
        sender="Waypost",
        client_reference=reference(number),
    )


def reference(number: int) -> str:
    """The client reference of a running number."""
    return f"campaign-{number % REFERENCES:02}"


def calls(*, with_request_id: bool) -> Iterator[bytes]:
    """Serialised requests without end. Without request_id they are made once."""
    requests = [request(number) for number in range(REFERENCES * 10)]
    if not with_request_id:
        yield from cycle([each.SerializeToString() for each in requests])
    for each in cycle(requests):
        each.request_id = random_request_id()
        yield each.SerializeToString()


def frames(*, with_request_id: bool) -> Iterator[bytes]:
    """Serialised frames of 100 requests without end."""
    pool = [
        send_pb2.SendStreamRequest(
            requests=[request(number) for number in range(start, start + FRAME_REQUESTS)]
        )
        for start in range(0, 10 * FRAME_REQUESTS, FRAME_REQUESTS)
    ]
    if not with_request_id:
        yield from cycle([frame.SerializeToString() for frame in pool])
    for frame in cycle(pool):
        for each in frame.requests:
            each.request_id = random_request_id()
        yield frame.SerializeToString()


def random_request_id() -> str:
    """32 characters, as a UUID's."""
    return os.urandom(16).hex()
