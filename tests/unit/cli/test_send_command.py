"""What the words of `waypost send` mean."""

from pathlib import Path

import pytest

from broker.cli.failures import UsageError
from broker.cli.send_command import whom_and_what

ADA, BOB = "+447700900123", "+447700900124"


@pytest.mark.parametrize(
    ("words", "to", "text", "numbers", "said"),
    [
        ([ADA, "Hi"], [], None, [ADA], "Hi"),
        ([ADA], [], "Hi", [ADA], "Hi"),
        ([ADA], [], None, [ADA], ""),
        (["Hi"], [ADA, BOB], None, [ADA, BOB], "Hi"),
        ([], [ADA, BOB], "Hi", [ADA, BOB], "Hi"),
        ([ADA, "Hi"], [BOB], None, [ADA, BOB], "Hi"),
        ([ADA], [BOB], "Hi", [ADA, BOB], "Hi"),
        ([ADA], [], BOB, [ADA], BOB),
    ],
)
def test_words_are_a_recipient_and_a_text(words, to, text, numbers, said) -> None:
    """In every mixture with --to and --text."""
    recipients, found = whom_and_what(words, to, None, text)
    assert (numbers, said) == ([row.phone_number for row in recipients.rows], found)


@pytest.mark.parametrize(
    ("words", "to", "csv", "text", "told"),
    [
        ([], [], None, "Hi", "whom to"),
        ([ADA, "Hi", "there"], [], None, None, "one word too many"),
        ([ADA, "Hi"], [], None, "Hello", "one word too many"),
        ([ADA, BOB], [], None, None, "name more recipients by --to"),
        ([], [ADA], Path("people.csv"), "Hi", "not both"),
        ([ADA, "Hi"], [], Path("people.csv"), None, "not both"),
    ],
)
def test_what_is_ambiguous_is_refused(words, to, csv, text, told) -> None:
    """A number in the place of the text is more likely a recipient too many."""
    with pytest.raises(UsageError, match=told):
        whom_and_what(words, to, csv, text)


def test_a_file_takes_its_text_from_the_words(tmp_path) -> None:
    """There is no recipient among them then."""
    path = tmp_path / "people.csv"
    path.write_text(f"phone_number\n{ADA}\n")
    recipients, said = whom_and_what(["Hi"], [], path, None)
    assert ([ADA], "Hi") == ([row.phone_number for row in recipients.rows], said)
