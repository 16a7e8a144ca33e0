"""How a command fails: with a message for people and an exit code for programs."""

from broker.cli.exit_codes import ExitCode


class CommandFailed(Exception):
    """The command cannot go on. The message is printed on stderr; no traceback is."""

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        self.exit_code = exit_code
        super().__init__(message)


class UsageError(CommandFailed):
    """The arguments, or a file that they name, cannot be used."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.USAGE)
