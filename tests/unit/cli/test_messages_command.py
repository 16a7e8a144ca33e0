"""The sub-command of `messages` that may be left out."""

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from broker.cli import program
from broker.cli.filter_options import StatusName
from broker.cli.messages_command import _filter
from broker.cli.options import ChannelName
from waypost.v1 import message_pb2, status_pb2

STATUSES = status_pb2.MessageStatus.DESCRIPTOR
ID = "6GZT9GA680001"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "waypost messages list"),
        (["--limit", "3"], "waypost messages list"),
        (["list"], "waypost messages list"),
        ([ID], "waypost messages show"),
        ([ID.lower()], "waypost messages show"),
        (["show", ID], "waypost messages show"),
        (["cancel", ID], "waypost messages cancel"),
        (["delete", ID], "waypost messages delete"),
        (["mark", ID], "waypost messages mark"),
        (["redrive", ID], "waypost messages redrive"),
    ],
)
def test_the_sub_command_is_what_the_words_mean(words, expected) -> None:
    """Bare it lists, with an id it shows; told by the usage of the command that complains."""
    told = CliRunner().invoke(program.program, ["messages", *words, "--nonsense"], prog_name="waypost")
    assert (2, f"Usage: {expected}") == (told.exit_code, told.output.partition(" [")[0].strip())


def test_a_word_that_is_no_id_is_no_command() -> None:
    """A slip of the finger is not looked up as a message."""
    told = CliRunner().invoke(program.program, ["messages", "lst"], prog_name="waypost")
    assert (2, True) == (told.exit_code, "No such command 'lst'" in told.output)


def test_help_is_that_of_the_group() -> None:
    """Also by its short name."""
    for option in ("--help", "-h"):
        told = CliRunner().invoke(program.program, ["messages", option], prog_name="waypost")
        assert (0, True) == (told.exit_code, "cancel" in told.output)


def test_the_statuses_are_those_of_the_api() -> None:
    """None is missing, none is made up."""
    expected = {name.removeprefix("MESSAGE_STATUS_").lower() for name in STATUSES.values_by_name}
    assert expected - {"unspecified"} == set(StatusName)


def test_every_option_reaches_its_field() -> None:
    """Words become numbers, and what was not given is empty."""
    values = {"recipients": ["+447700900123"], "tags": ["a", "b"], "data": None}
    words = {"statuses": [StatusName.DELETED], "channels": [ChannelName.IN_APP], "traffics": None}
    wanted = _filter(values, words, datetime(2026, 1, 1, tzinfo=UTC), None)
    expected = message_pb2.MessageFilter(
        start_time={"seconds": 1_767_225_600},
        statuses=[11],
        recipients=["+447700900123"],
        tags=["a", "b"],
        channels=[5],
    )
    assert expected == wanted
