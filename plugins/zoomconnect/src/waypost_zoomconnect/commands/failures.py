"""How a command ends, and why it could not go on."""

from enum import IntEnum

import grpc


class ExitCode(IntEnum):
    """What the command tells its caller."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3


class CommandFailed(Exception):
    """The command cannot go on; its text is for the person at the terminal."""

    def __init__(self, message: str, code: ExitCode = ExitCode.REFUSED) -> None:
        super().__init__(message)
        self.code = code


UNREACHABLE = frozenset({
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
})
ABOUT_ONE = frozenset({
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ABORTED,
})
"""What the broker says of one record; anything else would be true of the next one, too."""


def failed_call(error: grpc.aio.AioRpcError) -> CommandFailed:
    """What a call to the broker failed with that no other record would escape."""
    code = ExitCode.UNREACHABLE if error.code() in UNREACHABLE else ExitCode.REFUSED
    return CommandFailed(f"the broker: {error.code().name}: {error.details()}", code)
