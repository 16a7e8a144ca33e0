"""Where the text of `analyze` comes from, and how it is shown measured."""

import pytest

from broker.cli.analysis_questions import Question
from broker.cli.analysis_table import answer_to, marked
from broker.cli.analyze_command import analyze, from_argument, from_stdin
from broker.cli.failures import UsageError
from waypost.v1 import channel_pb2, message_service_pb2


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (b"Hello\n", "Hello"),
        (b"Hello\r\n", "Hello"),
        (b"Hello\n\n", "Hello\n"),
        (b"Hello", "Hello"),
        ("✓\n".encode(), "✓"),
        (b"", ""),
    ],
)
def test_one_line_break_at_the_end_is_the_shells(read, expected) -> None:
    """Every other character is the text's."""
    assert expected == from_stdin(read)


def test_what_is_no_utf_8_is_refused() -> None:
    """By name, on either way in."""
    with pytest.raises(UsageError, match="at byte 2"):
        from_stdin(b"Hi\xff")
    with pytest.raises(UsageError, match="UTF-8"):
        from_argument("Hi\udcff")


def test_characters_that_force_ucs_2_are_marked_wherever_they_stand() -> None:
    """Also those that mean something in a pattern."""
    line = marked("a✓b*✓\n", ["✓", "*"])
    assert "a✓b*✓⏎" == line.plain
    assert [(1, 2), (3, 4), (4, 5)] == sorted((span.start, span.end) for span in line.spans)


def test_nothing_is_marked_where_nothing_forces() -> None:
    """A plain text stays plain."""
    assert [] == marked("Hello", []).spans


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (Question.CREDIT_COST, "0.035"),
        (Question.ENCODING, "UCS2"),
        (Question.LENGTH, "72"),
        (Question.CHARACTERS, "71"),
        (Question.WITHIN_MAXIMUM, "no"),
        (Question.UNITS, "2"),
    ],
)
def test_each_question_can_be_asked_alone(question, answer) -> None:
    """The answer and nothing else."""
    analysis = message_service_pb2.AnalyzeMessageResponse(
        units=2, encoding=channel_pb2.ENCODING_UCS2, length=72, characters=71, credit_cost=35_000
    )
    assert answer == answer_to(question, analysis)
    assert "yes" == answer_to(
        Question.WITHIN_MAXIMUM, message_service_pb2.AnalyzeMessageResponse(within_maximum=True)
    )


def test_one_answer_as_it_is_and_all_of_them_as_json_contradict_each_other() -> None:
    """Before anybody is asked."""
    with pytest.raises(UsageError, match="--only"):
        analyze("Hello", only=Question.UNITS, json=True)
