"""The requests of a send stream: which wait, which are out in which frame, and what comes of an answer.

Nothing here waits or does I/O. A frame is as large as what has gathered: alone, a request leaves at once
in a frame of its own; while as many frames are out as may be, requests gather for the next one.

    add ─▶ waiting ──next_frame──▶ out, in frames ──answered──▶ the caller
              ▲                        │
              └────────take_back───────┘   the connection was lost: all of them once more, in order
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """What has a size on the wire."""

    @property
    def size_bytes(self) -> int:
        """How much of a frame it takes."""


Item = TypeVar("Item", bound=Sized)


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """How much may be on its way.

    frames_out_max: frames without an answer. Two of them keep a broker busy; more hide a long way to it.
    frame_bytes_max: of the requests in a frame; a larger request has a frame to itself.
    """

    requests_in_flight_max: int = 2_000
    frame_requests_max: int = 500
    frame_bytes_max: int = 1024 * 1024
    frames_out_max: int = 4

    def __post_init__(self) -> None:
        if self.requests_in_flight_max < 1:
            raise ValueError("requests_in_flight_max must be at least 1")
        if not 1 <= self.frame_requests_max <= 1_000:
            raise ValueError("frame_requests_max must be from 1 to 1,000")


class SendWindow(Generic[Item]):
    """What is on its way, within limits."""

    def __init__(self, limits: WindowLimits) -> None:
        self._limits = limits
        self._waiting: deque[Item] = deque()
        self._out: deque[list[Item]] = deque()

    def __bool__(self) -> bool:
        """Whether anything waits or is out."""
        return bool(self._waiting or self._out)

    def add(self, item: Item) -> None:
        """It waits for the next frame."""
        self._waiting.append(item)

    def next_frame(self) -> list[Item]:
        """What to send now, which is then out; empty while nothing waits, or enough is out."""
        frame: list[Item] = []
        if len(self._out) >= self._limits.frames_out_max:
            return frame
        size = 0
        while self._waiting and len(frame) < self._limits.frame_requests_max:
            size += self._waiting[0].size_bytes
            if frame and size > self._limits.frame_bytes_max:
                break
            frame.append(self._waiting.popleft())
        if frame:
            self._out.append(frame)
        return frame

    def answered(self) -> list[Item]:
        """The broker answered the oldest frame that is out: its requests."""
        return self._out.popleft() if self._out else []

    def take_back(self) -> None:
        """The connection was lost: what is out waits again, before what has waited so far."""
        for frame in reversed(self._out):
            self._waiting.extendleft(reversed(frame))
        self._out.clear()

    def clear(self) -> Iterable[Item]:
        """Give everything up, oldest first."""
        self.take_back()
        items, self._waiting = self._waiting, deque()
        return items
