"""How far a broadcast is, in words."""

import pytest

from broker.cli.broadcast_request import request_of
from broker.cli.broadcast_tables import Speed, done_of, progress_line, span_words
from broker.cli.failures import UsageError
from broker.cli.requests import TemplateWish, Wishes
from waypost.v1 import broadcast_pb2

RUNNING, COMPLETED = broadcast_pb2.BROADCAST_STATE_RUNNING, broadcast_pb2.BROADCAST_STATE_COMPLETED


def seen(*marks: tuple[float, int]) -> Speed:
    """What a watcher saw."""
    speed = Speed()
    for now_s, done in marks:
        speed.see(now_s, done)
    return speed


def test_a_line_tells_share_counts_rate_and_time_left() -> None:
    """Of a broadcast that goes on."""
    broadcast = broadcast_pb2.Broadcast(state=RUNNING, expected=1_000, sent=400, delivered=390, refused=10)
    expected = "RUNNING · 41 % of 1,000 · 400 sent · 390 delivered · 10 refused · 100/s · 6 s left"
    assert expected == progress_line(broadcast, seen((0, 210), (2, 410)))


def test_a_line_of_what_is_over_has_no_rate() -> None:
    """Nothing is left of it."""
    broadcast = broadcast_pb2.Broadcast(state=COMPLETED, expected=10, sent=9, delivered=9, failed=1)
    expected = "COMPLETED · 100 % of 10 · 9 sent · 9 delivered · 1 failed"
    assert expected == progress_line(broadcast, seen((0, 0), (1, 10)))


def test_a_line_tells_why_it_goes_on_no_more() -> None:
    """Of one that was held by itself."""
    broadcast = broadcast_pb2.Broadcast(
        state=broadcast_pb2.BROADCAST_STATE_SUSPENDED, expected=10, sent=5, detail="credit: too little"
    )
    expected = "SUSPENDED · 50 % of 10 · 5 sent · 0 delivered · 0/s · credit: too little"
    assert expected == progress_line(broadcast, seen((0, 5), (1, 5)))


def test_what_failed_after_it_was_sent_counts_once() -> None:
    """Sent and undelivered is one recipient, and not two."""
    both = broadcast_pb2.Broadcast(sent=10, delivered=8, failed=2)
    assert 10 == done_of(both)
    assert 12 == done_of(broadcast_pb2.Broadcast(sent=10, delivered=10, failed=2))


def test_a_rate_forgets_what_is_long_ago() -> None:
    """So that it follows a pause."""
    speed = seen((0, 0), (1, 1_000), *((float(at), 1_000) for at in range(2, 20)))
    assert (0.0, None) == (speed.per_second, speed.left_s(10))


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (12_000, "3 h 20 min")]
)
def test_spans_are_as_exact_as_one_needs_them(seconds: float, words: str) -> None:
    """Seconds, then minutes, then hours."""
    assert words == span_words(seconds)


def test_a_request_has_what_was_wished_and_whom() -> None:
    """A text for phones; for mailboxes as well where there is a subject."""
    request = request_of(Wishes(text="Hi", sender="Shop"), ["+447700900123", "a@example.org"][:1], ["g"])
    assert ("Hi", "Shop") == (request.content.sms.text, request.sender)
    assert ["+447700900123"] == [each.phone_number for each in request.audience.recipients]
    assert ["g"] == list(request.audience.group_ids)
    assert not request.content.HasField("email")
    assert request_of(Wishes(text="Hi", subject="S"), [], ["g"]).content.HasField("email")


def test_a_request_needs_something_to_say() -> None:
    """A text or a template."""
    assert "shop" == request_of(Wishes(text="Hi", sender_pool="shop"), [], ["g"]).sender_pool
    assert "bill" == request_of(Wishes(template=TemplateWish("shop/bill")), [], ["g"]).template.name
    with pytest.raises(UsageError):
        request_of(Wishes(), [], ["g"])
