"""Messages as their events leave them."""

from broker.cli.progress import Progress
from broker.cli.recipients import Row
from broker.cli.sending import Answer
from waypost.v1 import event_pb2, message_pb2, send_pb2, status_pb2

ROWS = [Row(phone_number="+447700900123", name="Ada"), Row(phone_number="12")]
ACCEPTED = Answer(0, send_pb2.SendResult(message_id="m1", status=status_pb2.MESSAGE_STATUS_ACCEPTED))
REFUSED = Answer(
    1,
    send_pb2.SendResult(
        message_id="m2",
        status=status_pb2.MESSAGE_STATUS_REJECTED,
        reason=status_pb2.REASON_INVALID_RECIPIENT,
        detail="no number",
    ),
)


def event(fact: str, status: str, **fields: object) -> event_pb2.Event:
    """An event of the first message."""
    return event_pb2.Event(
        message=event_pb2.MessageEvent(
            message_id="m1", fact=f"MESSAGE_FACT_{fact}", status=f"MESSAGE_STATUS_{status}", **fields
        )
    )


def test_a_refused_recipient_has_ended_and_says_why() -> None:
    """No event has to come for that."""
    progress = Progress(ROWS, [ACCEPTED, REFUSED])
    assert ["m1"] == progress.open_ids
    assert ("REJECTED", "INVALID_RECIPIENT: no number") == (
        progress.messages[1].status,
        progress.messages[1].story,
    )


def test_the_refusal_of_a_request_ends_its_rows() -> None:
    """They have no message."""
    error = send_pb2.SendError(reason="INVALID_REQUEST", message="too long")
    progress = Progress(ROWS, [Answer(0, error=error)])
    assert progress.all_ended
    assert "INVALID_REQUEST: too long" == progress.messages[0].story


def test_the_story_keeps_what_tells_and_counts_repetitions() -> None:
    """What was on the way is forgotten once the next thing happened."""
    progress = Progress(ROWS, [ACCEPTED])
    for attempt in (1, 2):
        progress.apply(event("ATTEMPTED", "PROCESSING", attempt=attempt))
        progress.apply(event("DEFERRED", "PROCESSING", attempt=attempt, provider_code="busy"))
    progress.apply(event("ATTEMPTED", "PROCESSING", attempt=3))
    (message,) = progress.messages
    assert (3, "not taken, tried again (busy) x2, then being handed over") == (
        message.attempts,
        message.story,
    )
    progress.apply(event("DELIVERED", "DELIVERED", attempt=3, end=True))
    assert "not taken, tried again (busy) x2, then delivered" == message.story
    assert progress.all_ended


def test_what_comes_after_the_end_is_told_and_moves_nothing() -> None:
    """An end is an end."""
    progress = Progress(ROWS, [ACCEPTED])
    progress.apply(event("DELIVERED", "DELIVERED", end=True))
    progress.apply(event("LATE_RECEIPT", "DELIVERED"))
    (message,) = progress.messages
    assert ("DELIVERED", "delivered, then another receipt") == (message.status, message.story)


def test_events_of_other_messages_are_passed_over() -> None:
    """Without a filter all of the account's come."""
    progress = Progress(ROWS, [ACCEPTED])
    other = event_pb2.Event(message=event_pb2.MessageEvent(message_id="m9"))
    assert [False, False, True] == [
        progress.apply(each) for each in (other, event_pb2.Event(), event("ATTEMPTED", "PROCESSING"))
    ]


def test_a_message_of_an_earlier_call_may_have_ended_already() -> None:
    """Its events are in the past."""
    progress = Progress(ROWS, [ACCEPTED])
    progress.catch_up(
        message_pb2.Message(message_id="m1", status=status_pb2.MESSAGE_STATUS_DELIVERED, end=True, attempts=2)
    )
    assert progress.all_ended
    assert "1 message: 1 delivered" == progress.summary
