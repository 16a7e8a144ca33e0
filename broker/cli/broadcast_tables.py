"""Broadcasts for people: one line that tells how far it is, what was refused, and lists."""

from collections import deque
from collections.abc import Sequence

from rich.table import Table

from broker.cli.grid import Column, grid
from broker.cli.wording import local_time, printable, reason_word, word_of
from waypost.v1 import broadcast_pb2

RATE_SPAN_S = 10.0
"""The rate is that of the last seconds, so that it follows a pause."""

_ENDS = frozenset({
    broadcast_pb2.BROADCAST_STATE_STOPPED,
    broadcast_pb2.BROADCAST_STATE_COMPLETED,
    broadcast_pb2.BROADCAST_STATE_DELETED,
    broadcast_pb2.BROADCAST_STATE_UNKNOWN,
})


def is_over(broadcast: broadcast_pb2.Broadcast) -> bool:
    """Whether it goes on no more."""
    return broadcast.state in _ENDS


def state_word(broadcast: broadcast_pb2.Broadcast) -> str:
    """As "RUNNING"."""
    return word_of(broadcast_pb2.BroadcastState.DESCRIPTOR, broadcast.state)


class Speed:
    """How fast a broadcast goes, by what was seen of it in the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def see(self, now_s: float, done: int) -> None:
        """So many were done by then."""
        self._seen.append((now_s, done))
        while now_s - self._seen[0][0] > RATE_SPAN_S and len(self._seen) > 2:
            self._seen.popleft()

    @property
    def per_second(self) -> float:
        """Recipients a second; 0 before two looks."""
        if len(self._seen) < 2:
            return 0.0
        (from_s, first), (to_s, last) = self._seen[0], self._seen[-1]
        return (last - first) / (to_s - from_s) if to_s > from_s else 0.0

    def left_s(self, left: int) -> float | None:
        """How long that many still take; None while nothing moves."""
        return left / self.per_second if self.per_second > 0 else None


def done_of(broadcast: broadcast_pb2.Broadcast) -> int:
    """Recipients that need nothing more from the broker but receipts."""
    return (
        broadcast.sent
        + broadcast.refused
        + max(0, broadcast.failed - max(0, broadcast.sent - broadcast.delivered))
    )


def progress_line(broadcast: broadcast_pb2.Broadcast, speed: Speed) -> str:
    """State, share, counts, rate and the time that is left, and why it goes on no more."""
    done = min(done_of(broadcast), broadcast.expected)
    share = f"{100 * done / broadcast.expected:.0f} %" if broadcast.expected else "-"
    parts = [
        state_word(broadcast),
        f"{share} of {broadcast.expected:,}",
        f"{broadcast.sent:,} sent",
        f"{broadcast.delivered:,} delivered",
    ]
    if broadcast.failed:
        parts.append(f"{broadcast.failed:,} failed")
    if broadcast.refused:
        parts.append(f"{broadcast.refused:,} refused")
    if not is_over(broadcast):
        left_s = speed.left_s(broadcast.expected - done)
        parts.append(f"{speed.per_second:,.0f}/s")
        if left_s is not None:
            parts.append(f"{span_words(left_s)} left")
    if broadcast.detail:
        parts.append(printable(broadcast.detail))
    return " · ".join(parts)


def span_words(seconds: float) -> str:
    """A span as "3 h 20 min", as exact as one needs it."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60} min"


def facts_of(broadcast: broadcast_pb2.Broadcast) -> list[tuple[str, str]]:
    """What one broadcast's card says."""
    return [
        ("broadcast", broadcast.broadcast_id),
        ("name", printable(broadcast.name)),
        ("state", state_word(broadcast)),
        ("detail", printable(broadcast.detail)),
        ("run by", printable(broadcast.upstream_provider)),
        ("there as", printable(broadcast.upstream_id)),
        ("made", local_time(broadcast.create_time)),
        ("scheduled", local_time(broadcast.schedule_time) if broadcast.HasField("schedule_time") else ""),
        ("started", local_time(broadcast.start_time) if broadcast.HasField("start_time") else ""),
        ("ended", local_time(broadcast.end_time) if broadcast.HasField("end_time") else ""),
        ("pace", f"{broadcast.messages_per_minute:,} a minute" if broadcast.messages_per_minute else ""),
        ("expected", f"{broadcast.expected:,}"),
        ("duplicates", f"{broadcast.duplicates:,}"),
        ("accepted", f"{broadcast.accepted:,}"),
        ("refused", f"{broadcast.refused:,}"),
        ("sent", f"{broadcast.sent:,}"),
        ("delivered", f"{broadcast.delivered:,}"),
        ("failed", f"{broadcast.failed:,}"),
        *((f"refused for {reason_word(each.reason)}", f"{each.recipients:,}") for each in broadcast.refusals),
    ]


def broadcasts_table(found: Sequence[broadcast_pb2.Broadcast]) -> Table:
    """A row for each."""
    columns = (
        Column("broadcast"),
        Column("name", rare=True),
        Column("state"),
        Column("made"),
        Column("expected", right=True),
        Column("sent", right=True),
        Column("delivered", right=True),
        Column("failed", right=True),
        Column("refused", right=True),
    )
    rows = [
        (
            each.broadcast_id,
            each.name,
            state_word(each),
            local_time(each.create_time),
            f"{each.expected:,}",
            f"{each.sent:,}",
            f"{each.delivered:,}",
            f"{each.failed:,}",
            f"{each.refused:,}",
        )
        for each in found
    ]
    return grid(columns, rows)
