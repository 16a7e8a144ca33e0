"""What processes used, as Linux counts it under /proc. The clock there ticks 100 times a second."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """Percent of one core during a run. `busiest_caller` is the busiest load process.

    `server_loop` is the server's main thread, which runs its event loop; `others` is everything else
    on the machine, also what the hypervisor took.
    """

    server: float
    server_loop: float
    busiest_caller: float
    callers: float
    others: float
    server_cpu_s: float
    server_loop_cpu_s: float


def usable_cores() -> int:
    """The cores that this process may run on."""
    return len(os.sched_getaffinity(0))


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB."""
    return _status_mb(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    """The most resident memory that a process had so far, in MB."""
    return _status_mb(pid, "VmHWM")


def _status_mb(pid: int, name: str) -> float:
    for line in (_PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1_000
    raise LookupError(f"process {pid} has no {name}")


class Watch:
    """Counts from its making until `usage`."""

    def __init__(self, server: int, callers: Sequence[int]) -> None:
        self._server = server
        self._callers = callers
        self._before = self._counters()
        self._began = time.monotonic()

    def usage(self) -> Usage:
        """What was used since."""
        seconds = time.monotonic() - self._began
        spent = [after - before for after, before in zip(self._counters(), self._before, strict=True)]
        machine, ourselves, server, loop, *callers = spent
        percent = 100 / seconds
        return Usage(
            server=server * percent,
            server_loop=loop * percent,
            busiest_caller=max(callers, default=0.0) * percent,
            callers=sum(callers) * percent,
            others=max(0.0, (machine - ourselves - server - sum(callers)) * percent),
            server_cpu_s=server,
            server_loop_cpu_s=loop,
        )

    def _counters(self) -> list[float]:
        """CPU seconds so far: the machine, this process, the server, its main thread, each caller."""
        server = str(self._server)
        paths = [f"{os.getpid()}/stat", f"{server}/stat", f"{server}/task/{server}/stat"]
        paths += [f"{pid}/stat" for pid in self._callers]
        return [_machine_busy_s(), *(_busy_s(_PROC / path) for path in paths)]


def _busy_s(stat: Path) -> float:
    # The name, in brackets, may hold spaces; user and system time are the 12th and 13th after it.
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _machine_busy_s() -> float:
    user, nice, system, _idle, _iowait, irq, softirq, steal = (
        int(field) for field in (_PROC / "stat").read_text().split(maxsplit=9)[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / _TICKS_PER_S
