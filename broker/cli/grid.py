"""How things that were looked up are laid out for people: as rows, or as names beside values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich import box
from rich.table import Table
from rich.text import Text

from broker.cli.wording import printable

STATUS_STYLES: Mapping[str, str] = {
    "DELIVERED": "green",
    "REJECTED": "red",
    "DELIVERY_FAILED": "red",
    "SENDING_FAILED": "red",
    "EXPIRED": "red",
    "UNKNOWN": "yellow",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column. One that is `rare` is left out where no row fills it; `styles` colours whole cells.

    What is `whole` stays on one line, to be copied, as long as other columns can give way.
    """

    title: str
    right: bool = False
    rare: bool = False
    whole: bool = False
    style: str = ""
    styles: Mapping[str, str] = field(default_factory=dict)


def grid(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]]) -> Table:
    """A table. Strings come from anywhere: they are never markup, and cannot steer the terminal."""
    used = [number for number, column in enumerate(columns) if not column.rare or _filled(rows, number)]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for number in used:
        column = columns[number]
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            overflow="fold",
            no_wrap=column.whole,
        )
    for row in rows:
        table.add_row(*(_cell(columns[number], row[number]) for number in used))
    return table


def card(facts: Sequence[tuple[str, str]], styles: Mapping[str, str]) -> Table:
    """One thing's facts, a line each; those without a value are left out."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts:
        if value:
            table.add_row(name, Text(shown_on_one_line(value), style=styles.get(value, "")))
    return table


def shown_on_one_line(text: str) -> str:
    """Text from elsewhere, with its line breaks to be seen."""
    return printable(text.replace("\n", "⏎"))


def _filled(rows: Sequence[Sequence[str | Text]], number: int) -> bool:
    return any(row[number] for row in rows)


def _cell(column: Column, cell: str | Text) -> Text:
    if isinstance(cell, Text):
        return cell
    return Text(shown_on_one_line(cell), style=column.styles.get(cell, column.style))
