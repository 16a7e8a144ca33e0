"""What was sent, drawn with bars."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from broker.cli.grid import Column, grid
from waypost.v1 import usage_pb2

BAR_WIDTH = 40
ROWS_SHOWN_MAX = 400

_EIGHTHS = " ▏▎▍▌▋▊▉"


def usage_chart(split: Sequence[str], unit: str, response: usage_pb2.UsageResponse) -> RenderableType:
    """A row and a bar for each count, and the total; the longest bar is the largest count."""
    most = max((row.count for row in response.rows), default=0)
    rows: list[Sequence[str | Text]] = [
        (*row.group, shown_count(row.count, unit), Text(bar(row.count, most), style="cyan"))
        for row in response.rows[:ROWS_SHOWN_MAX]
    ]
    total = f"{shown_count(response.total, unit)} {unit} in all"
    if len(response.rows) > ROWS_SHOWN_MAX:
        total += f"; {len(response.rows) - ROWS_SHOWN_MAX:,} more rows: see --csv"
    columns = (*(Column(each) for each in split), Column(unit, right=True), Column(""))
    return Group(grid(columns, rows), "", Text(total)) if rows else Text("nothing was sent")


def bar(count: int, most: int) -> str:
    """A bar of eighths of a character; anything at all shows."""
    if count <= 0 or most <= 0:
        return ""
    eighths = max(1, round(8 * BAR_WIDTH * count / most))
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def shown_count(count: int, unit: str) -> str:
    """A count with its thousands apart; credits in whole ones with what is behind the point."""
    if unit != "credits":
        return f"{count:,}"
    whole, micros = divmod(abs(count), 1_000_000)
    digits = f"{micros:06}".rstrip("0")
    sign = "-" if count < 0 else ""
    return f"{sign}{whole:,}" + (f".{digits.ljust(2, '0')}" if digits else "")
