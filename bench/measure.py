"""Runs, interleaved, and what is made of them: medians, and the ratio pair by pair."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.procfs import Usage

WARM_UP = 0.25
"""The round that is thrown away is this much of a measured one."""

Arm = Callable[[float], Awaitable["Run"]]
"""Measures once; the argument is the share of the usual time or count."""


@dataclass(frozen=True, slots=True)
class ServerTime:
    """CPU time for one operation in microseconds: of all the server's threads, and of its event loop."""

    all: float
    loop: float


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement. `operations` is how many there were in the time that `usage` is about."""

    figure: float
    usage: Usage | None = None
    operations: int = 0

    @property
    def server_us(self) -> ServerTime | None:
        """What the server needed for each operation."""
        if self.usage is None or not self.operations:
            return None
        each = 1e6 / self.operations
        return ServerTime(self.usage.server_cpu_s * each, self.usage.server_loop_cpu_s * each)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a result should reach: of the ratio where there is one, else of our own figure."""

    sign: str
    number: float

    def met(self, figure: float) -> bool:
        """Whether it is reached."""
        return figure >= self.number if self.sign == ">=" else figure <= self.number

    def __str__(self) -> str:
        return f"{self.sign} {self.number:g}"


@dataclass(frozen=True, slots=True)
class Line:
    """One result: ours, and beside it the reference of the same rounds."""

    scenario: str
    what: str
    unit: str
    ours: Sequence[Run]
    against: str = ""
    reference: Sequence[Run] = ()
    goal: Goal | None = None
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """Ours by the reference, pair by pair."""
        pairs = zip(self.ours, self.reference, strict=True) if self.reference else ()
        return [ours.figure / reference.figure for ours, reference in pairs]

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None when there is none."""
        if self.goal is None:
            return None
        return self.goal.met(median(self.ratios) if self.reference else middle(self.ours))


def middle(runs: Sequence[Run]) -> float:
    """The median figure."""
    return median(run.figure for run in runs)


async def interleave(rounds: int, *arms: Arm) -> list[list[Run]]:
    """Each arm once a round, after a short round that warms everything up; the runs of each arm."""
    runs: list[list[Run]] = [[] for _ in arms]
    for arm in arms:
        await arm(WARM_UP)
    for _ in range(rounds):
        for arm, measured in zip(arms, runs, strict=True):
            measured.append(await arm(1.0))
    return runs
