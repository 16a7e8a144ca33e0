"""What the exit codes of `waypost` mean; scripts may branch on them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """One meaning a code, the same for every command."""

    OK = 0
    """Done. For `send`: every recipient was accepted, and with --follow every message reached an end."""

    REFUSED = 1
    """The broker refused the call or a recipient; for `serve`, it could not start or failed."""

    USAGE = 2
    """The arguments, a file they name, or the settings cannot be used. Nothing was done."""

    UNREACHABLE = 3
    """No broker answers at the target, or it does not let the key in."""

    TIMEOUT = 4
    """The time given ran out first. Nothing is lost by it: the broker goes on."""

    INTERRUPTED = 130
    """Ctrl-C."""
