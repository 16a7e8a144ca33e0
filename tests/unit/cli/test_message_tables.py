"""Messages as people see them."""

import io

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console, RenderableType

from broker.cli.message_tables import messages_table, story_of, text_of
from broker.cli.wording import local_time
from waypost.v1 import content_pb2, message_pb2, message_service_pb2, status_pb2

WHOLE = message_pb2.IndexProgress(whole=True)


def printed(shown: RenderableType) -> str:
    """As a wide console prints it."""
    file = io.StringIO()
    Console(file=file, width=200, color_system=None, _environ={}).print(shown)
    return file.getvalue()


@pytest.mark.parametrize(
    ("count", "more", "expected"),
    [
        (0, False, "no message matches"),
        (1, False, "1 message"),
        (2, False, "2 messages"),
        (2, True, "2 messages; older ones match too: raise --limit"),
    ],
)
def test_a_list_says_how_many_and_whether_there_are_more(count, more, expected) -> None:
    """On its last line."""
    shown = printed(messages_table([message_pb2.Message()] * count, more=more, index=WHOLE))
    assert expected == shown.splitlines()[-1].strip()


def test_a_message_shows_its_links() -> None:
    """Where each leads, and how often it was followed."""
    link = message_pb2.Link(
        url="https://example.com/a",
        short_url="https://go.example/x",
        target_url="https://example.com/a?utm_source=sms",
        clicks=12,
        last_click_time=Timestamp(seconds=1_800_000_000),
    )
    story = message_service_pb2.GetMessageResponse(message=message_pb2.Message(links=[link]))
    (line,) = [each for each in printed(story_of(story)).splitlines() if "go.example" in each]
    cells = ["https://go.example/x", "https://example.com/a?utm_source=sms", "12", link.last_click_time]
    assert [*cells[:3], *local_time(cells[3]).split()] == line.split()
    without = message_service_pb2.GetMessageResponse(message=message_pb2.Message())
    assert "short link" not in printed(story_of(without))


def test_a_list_says_when_its_index_is_behind() -> None:
    """What is newer may be missing, also where nothing was found."""
    when = Timestamp(seconds=1_800_000_000)
    behind = message_pb2.IndexProgress(events_behind=12_000, time=when)
    for found in ([], [message_pb2.Message()]):
        shown = printed(messages_table(found, more=False, index=behind))
        assert f"12,000 events behind: messages since {local_time(when)} may be missing" in shown


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (content_pb2.Content(sms=content_pb2.SmsContent(text="Hi")), "Hi"),
        (content_pb2.Content(push=content_pb2.PushContent(body="Hi")), "Hi"),
        (content_pb2.Content(email=content_pb2.EmailContent(html="<p>Hi</p>")), "<p>Hi</p>"),
        (content_pb2.Content(), ""),
    ],
)
def test_the_text_is_found_on_every_channel(content, expected) -> None:
    """It goes by different names."""
    assert expected == text_of(content)


def test_a_story_tells_what_the_provider_said_and_when_it_goes_on() -> None:
    """Each thing that happened has its line."""
    later = Timestamp(seconds=1_800_000_000)
    entries = [
        message_pb2.TimelineEntry(fact=status_pb2.MESSAGE_FACT_ACCEPTED),
        message_pb2.TimelineEntry(
            fact=status_pb2.MESSAGE_FACT_DEFERRED,
            provider="acme",
            provider_code="busy",
            provider_text="not now",
            attempt=1,
            next_attempt_time=later,
        ),
    ]
    message = message_pb2.Message(message_id="6GZT9GA680001", status=status_pb2.MESSAGE_STATUS_PROCESSING)
    lines = printed(
        story_of(message_service_pb2.GetMessageResponse(message=message, timeline=entries))
    ).splitlines()
    assert ["message", "6GZT9GA680001"] == lines[0].split()
    assert "not taken, tried again (busy)" in lines[-1]
    assert lines[-1].rstrip().endswith(f"not now; again at {local_time(later)}")
