"""The program `waypost`: its commands, and what becomes of the ways they can fail.

Only what `--help` needs is imported here. A command imports gRPC, the broker or rich when it runs.
"""

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec

import typer

from broker.cli.analyze_command import analyze
from broker.cli.doctor_command import doctor
from broker.cli.exit_codes import ExitCode
from broker.cli.failures import CommandFailed
from broker.cli.messages_command import MessagesGroup, cancel_message, list_messages, show_message
from broker.cli.providers_command import providers
from broker.cli.send_command import send
from broker.cli.serve_command import serve
from broker.cli.tail_command import tail

Parameters = ParamSpec("Parameters")

program = typer.Typer(
    name="waypost",
    help="A self-hosted messaging broker: one API, provider plugins, and the truth about every message.",
    no_args_is_help=True,
    # A traceback is for a defect, and then the whole of it as Python writes it, without local values.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        print(f"waypost {importlib.metadata.version('waypost-broker')}")
        raise typer.Exit


@program.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    del version


def exits(command: Callable[Parameters, int]) -> Callable[Parameters, None]:
    """A command that answers its exit code, as typer calls it; failures become messages on stderr."""

    @wraps(command)
    def run(*arguments: Parameters.args, **options: Parameters.kwargs) -> None:
        raise typer.Exit(_exit_code(lambda: command(*arguments, **options)))

    return run


def _exit_code(command: Callable[[], int]) -> int:
    try:
        return command()
    except CommandFailed as failure:
        print(f"waypost: {failure}", file=sys.stderr)
        return failure.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain once more while closing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK


program.command()(exits(serve))
program.command()(exits(send))
program.command()(exits(tail))

messages = typer.Typer(
    cls=MessagesGroup,
    help="List messages, show one with all that happened to it, or cancel one.\n\n"
    "`waypost messages` alone lists, and `waypost messages MESSAGE_ID` shows.",
)
messages.command("list")(exits(list_messages))
messages.command("show")(exits(show_message))
messages.command("cancel")(exits(cancel_message))
program.add_typer(messages, name="messages")

program.command()(exits(analyze))
program.command()(exits(providers))
program.command()(exits(doctor))
