"""Tables for people: what came of sending, and how far messages are."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from broker.cli.progress import Progress
from broker.cli.recipients import Row
from broker.cli.sending import Answer
from broker.cli.wording import printable, refusal_of, status_word

ROWS_SHOWN_MAX = 100
"""Beyond this a table tells counts, and only the rows that need a look."""

REFRESHES_PER_S = 8
PLAIN_INTERVAL_S = 2.0
PLAIN_WIDTH = 120
"""Where output is no terminal: wide enough for a row to stay in one line."""

_AROUND_THE_ROWS = 5
"""Lines of a terminal that a live table needs besides its rows."""

_RARE = frozenset({"name", "note"})

_COLOURS = {
    "DELIVERED": "green",
    "REJECTED": "red",
    "REFUSED": "red",
    "DELIVERY_FAILED": "red",
    "SENDING_FAILED": "red",
    "EXPIRED": "red",
    "UNKNOWN": "yellow",
}


def stdout_console() -> Console:
    """Where tables are printed."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PLAIN_WIDTH
    return console


def answers_table(rows: Sequence[Row], answers: Sequence[Answer]) -> RenderableType:
    """A row for each recipient, of many only the refused; and how many there are."""
    many = len(answers) > ROWS_SHOWN_MAX
    shown = [answer for answer in answers if answer.refused or not many][:ROWS_SHOWN_MAX]
    refused = sum(answer.refused for answer in answers)
    summary = f"{len(answers) - refused:,} accepted, {refused:,} refused"
    if not shown:
        return Text(summary)
    table = _table(
        ("recipient", "name", "status", "message id", "units", "note"),
        [_answer_cells(rows[answer.row], answer) for answer in shown],
    )
    return Group(table, "", Text(summary))


def _answer_cells(row: Row, answer: Answer) -> Sequence[str]:
    result, error = answer.result, answer.error
    if result is None:
        assert error is not None
        return row.address, row.name, "REFUSED", "", "", f"{error.reason}: {error.message}"
    note = refusal_of(result) if answer.refused else "; ".join(result.warnings)
    units = str(result.units) if result.units else ""
    recipient = result.recipient or row.address
    return recipient, row.name, status_word(result.status), result.message_id, units, note


def progress_table(progress: Progress, rows_max: int = ROWS_SHOWN_MAX) -> RenderableType:
    """A row for each message; of many only those that are not delivered."""
    messages = progress.messages
    many = len(messages) > rows_max
    shown = [each for each in messages if each.status != "DELIVERED"][:rows_max] if many else messages
    table = _table(
        ("recipient", "name", "status", "attempts", "what happened"),
        [(each.recipient, each.name, each.status, str(each.attempts or ""), each.story) for each in shown],
    )
    if many:
        return Group(table, "", Text(f"{len(messages) - len(shown):,} more are not in this table"))
    return table


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table of texts, never of markup. What is rare has a column only where there is some of it."""
    used = [
        index
        for index, column in enumerate(columns)
        if column not in _RARE or any(row[index] for row in rows)
    ]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index in used:
        right = columns[index] in {"attempts", "units"}
        table.add_column(columns[index], justify="right" if right else "left", overflow="fold")
    for row in rows:
        cells = (printable(row[index]) for index in used)
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in cells))
    return table


@asynccontextmanager
async def shown(progress: Progress) -> AsyncIterator[None]:
    """Show progress for as long as the block lasts, and at its end how it ended.

    On a terminal one table changes in place; elsewhere a table is printed now and then.
    """
    console = stdout_console()
    showing = _changing_in_place if console.is_terminal else _printed_now_and_then
    try:
        async with showing(console, progress):
            yield
    finally:
        console.print()
        console.print(Text(progress.summary))


@asynccontextmanager
async def _changing_in_place(console: Console, progress: Progress) -> AsyncIterator[None]:
    rows_max = max(1, console.height - _AROUND_THE_ROWS)
    with Live(
        console=console,
        get_renderable=lambda: progress_table(progress, rows_max),
        refresh_per_second=REFRESHES_PER_S,
    ):
        try:
            yield
        finally:
            rows_max = ROWS_SHOWN_MAX  # the last picture may scroll


@asynccontextmanager
async def _printed_now_and_then(console: Console, progress: Progress) -> AsyncIterator[None]:
    printing = asyncio.create_task(_print_now_and_then(console, progress))
    try:
        yield
    finally:
        printing.cancel()
        console.print(progress_table(progress))


async def _print_now_and_then(console: Console, progress: Progress) -> None:
    printed = -1
    while True:
        if printed != progress.changes:
            printed = progress.changes
            console.print(progress_table(progress))
            console.print()
        await asyncio.sleep(PLAIN_INTERVAL_S)
