"""How the program ends."""

import pytest
import typer

from broker.cli.exit_codes import ExitCode
from broker.cli.failures import CommandFailed, UsageError
from broker.cli.program import exits


def failing(error: BaseException):
    """A command that fails so."""

    def command() -> int:
        raise error

    return exits(command)


@pytest.mark.parametrize(
    ("error", "exit_code", "told"),
    [
        (UsageError("no such thing"), ExitCode.USAGE, "waypost: no such thing\n"),
        (
            CommandFailed("nobody there", ExitCode.UNREACHABLE),
            ExitCode.UNREACHABLE,
            "waypost: nobody there\n",
        ),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, ""),
    ],
)
def test_a_failure_is_a_message_and_an_exit_code(error, exit_code, told, capsys) -> None:
    """On stderr, so that stdout stays what programs read."""
    with pytest.raises(typer.Exit) as end:
        failing(error)()
    assert exit_code == end.value.exit_code
    assert ("", told) == capsys.readouterr()


def test_a_defect_is_not_dressed_up() -> None:
    """Its traceback is wanted."""
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError())()


def test_a_command_answers_its_exit_code() -> None:
    """Whatever it is."""
    with pytest.raises(typer.Exit) as end:
        exits(lambda: ExitCode.TIMEOUT)()
    assert ExitCode.TIMEOUT == end.value.exit_code
