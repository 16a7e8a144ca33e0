"""What of a callback's answer is sent back."""

import pytest

from broker.domain.waiting_reply import Abandoned, ReplyText, SpokenAnswer, reply_of


def spoken(
    body: str = "Thanks", status: int = 200, content_type: str = "text/plain", **more: bool
) -> SpokenAnswer:
    """An answer that is right but for what a test is about."""
    return SpokenAnswer(status, content_type, body.encode(), **more)


@pytest.mark.parametrize("content_type", ["text/plain", "text/plain; charset=utf-8", "Text/Plain"])
def test_a_plain_text_is_sent_back(content_type: str) -> None:
    """Without the white space around it."""
    assert ReplyText("Thanks") == reply_of(spoken(" Thanks\r\n", content_type=content_type))


@pytest.mark.parametrize("body", ["", " \n"])
def test_who_says_nothing_has_nothing_to_say(body: str) -> None:
    """That is no failure, whatever its type."""
    assert reply_of(spoken(body, content_type="text/html")) is None


@pytest.mark.parametrize(
    "answer",
    [
        None,
        spoken(status=201),
        spoken(status=500),
        spoken(content_type="text/html"),
        spoken(content_type=""),
        spoken("x" * 161),
        spoken("Grüezi"),
        spoken(whole=False),
    ],
    ids=["none in time", "201", "500", "HTML", "no type", "161", "foreign", "too long to read"],
)
def test_any_other_answer_is_abandoned(answer: SpokenAnswer | None) -> None:
    """And says why, without the words."""
    found = reply_of(answer)
    assert isinstance(found, Abandoned)
    assert "Grüezi" not in found.why
