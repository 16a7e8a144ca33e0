"""Commands are built when they are named."""

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from broker.cli import deferred


def command_of(name: str):
    """A command that says its name."""

    def command() -> None:
        print(name)

    command.__name__ = name
    return command


@pytest.fixture
def commands() -> deferred.Commands:
    """Two commands, and a group of two more."""
    parts = typer.Typer()
    parts.command()(command_of("first_one"))
    parts.command("second")(command_of("other"))
    group = typer.Typer()
    group.command()(command_of("third"))
    group.command()(command_of("fourth"))
    parts.add_typer(group, name="group")
    return deferred.Commands(parts)


def test_every_name_is_told_without_building(commands, monkeypatch) -> None:
    """Commands in the order of their registration, then groups."""
    monkeypatch.setattr(deferred, "get_command_from_info", None)
    monkeypatch.setattr(deferred, "get_group_from_info", None)
    assert ["first-one", "second", "group"] == list(commands)
    assert 3 == len(commands)
    assert commands.get("third") is None


def test_a_command_has_the_name_it_is_found_by(commands) -> None:
    """And is built once."""
    assert list(commands) == [each.name for each in commands.values()]
    assert ["third", "fourth"] == list(commands["group"].commands)
    assert commands["second"] is commands["second"]


def test_a_program_of_them_runs_what_is_named() -> None:
    """As if they were its own."""
    parts = typer.Typer()
    parts.command()(command_of("hello"))
    program = typer.Typer(cls=deferred.group_of(parts))
    program.callback()(lambda: None)
    assert ["hello"] == list(get_command(program).commands)
    assert "hello\n" == CliRunner().invoke(program, ["hello"]).output
    assert "Did you mean 'hello'?" in CliRunner().invoke(program, ["helo"]).output
