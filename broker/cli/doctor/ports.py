"""Where the broker would listen: whether it could."""

import errno
import socket
from collections.abc import Sequence
from contextlib import closing

from broker.cli.doctor.findings import Finding, fail, ok
from broker.listening import split_address
from broker.settings import ServerSettings

FREE = 0
"""An address that could be bound, among the error numbers of those that could not."""


def check_ports(server: ServerSettings, *, running: bool) -> list[Finding]:
    """One finding for each address of the settings."""
    addresses = {"listen": server.listen, "http_listen": server.http_listen}
    return [check_port(name, address, running=running) for name, address in addresses.items() if address]


def check_port(check: str, address: str, *, running: bool) -> Finding:
    """Bind it for an instant."""
    host, port = split_address(address)
    if port == 0:
        return ok(check, f"{address}: any free port")
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        return fail(check, f"{address}: no such host", f"set server.{check} to an address of this host")
    outcomes = [_bind(family, place) for family, _, _, _, place in places]
    return judge_port(check, address, outcomes, running=running)


def _bind(family: int, place: object) -> int:
    """0 where it can be bound, else the error number."""
    try:
        with closing(socket.socket(family, socket.SOCK_STREAM)) as listener:
            # As the broker does it: connections that just ended do not count.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)  # type: ignore[arg-type]  # as getaddrinfo gave it
    except OSError as error:
        return error.errno or errno.EIO
    return FREE


def judge_port(check: str, address: str, outcomes: Sequence[int], *, running: bool) -> Finding:
    """From what binding came to at each of the host's addresses: one that is free will do, none may be taken."""
    if errno.EADDRINUSE in outcomes:
        if running:
            return ok(check, f"{address}: taken, as it should be while a broker runs")
        return fail(check, f"{address}: taken", f"stop what listens there, or set another server.{check}")
    if FREE in outcomes:
        return ok(check, f"{address}: free")
    if errno.EACCES in outcomes:
        return fail(check, f"{address}: not permitted", "choose a port from 1024 on")
    return fail(check, f"{address}: not an address of this host", f"set another server.{check}")
