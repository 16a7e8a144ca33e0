"""Lines of a file of recipients, a column at a time: where all is plain that costs a third of taking line by line."""

from collections.abc import Sequence
from typing import Any

from broker.domain.address import all_normal
from broker.domain.audience import AudienceBlock
from broker.domain.audience_file import JUDGES, SHORT, Cell, Columns, Meaning
from broker.domain.tokens import VALUE_CHARACTERS_MAX


def plain_block(
    number: int, lines: Sequence[Sequence[Cell] | str], columns: Columns, now_us: int, region: str
) -> AudienceBlock | None:
    """What `row_of_cells` makes of each line, the first one with `number`; None where it has to be asked.

    Plain lines are whole, of printable text, with all addresses and nothing wrong. Values may be empty.
    """
    if set(map(type, lines)) != {list} or set(map(len, lines)) != {len(columns.names)}:
        return None
    table: list[tuple[Any, ...]] = list(zip(*lines, strict=True))
    return block_of_table(number, table, columns, now_us, region) if all(map(_is_plain, table)) else None


def block_of_table(
    number: int, table: Sequence[Sequence[str]], columns: Columns, now_us: int, region: str
) -> AudienceBlock | None:
    """The same of lines whose cells are known to be printable text, none of it only spaces, by columns."""
    found: dict[Meaning, Sequence[Any]] = {}
    values: dict[str, Sequence[str]] = {}
    for name, cells in zip(columns.names, table, strict=True):
        if isinstance(name, Meaning):
            kept = _kept(name, cells, now_us, region)
            if kept is None:
                return None
            found[name] = kept
        elif max(map(len, cells)) > VALUE_CHARACTERS_MAX:
            return None
        else:
            values[name] = cells
    others = {SHORT[name]: kept for name, kept in found.items() if name in SHORT}
    phone_numbers, emails, device_tokens = map(found.get, (Meaning.PHONE, Meaning.EMAIL, Meaning.DEVICE))
    return AudienceBlock(number, len(table[0]), phone_numbers, emails, device_tokens, values, others)


def _is_plain(cells: Sequence[Any]) -> bool:
    """Whether all of a column is printable text, and none of it only spaces: no other space is printable."""
    if set(map(type, cells)) != {str}:
        return False
    text = "".join(cells)
    return text.isprintable() and not (" " in text and any(map(str.isspace, cells)))


def _kept(name: Meaning, cells: Sequence[str], now_us: int, region: str) -> Sequence[str | int] | None:
    """What is kept of a column with a meaning; None where something is wrong in it, or missing."""
    if "" in cells:
        return None
    if name is Meaning.PHONE and all_normal(cells):
        return cells
    judge = JUDGES[name]
    found: list[str | int] = []
    for each in cells:
        kept, problem = judge(each.strip(), each, now_us, region)
        if problem:
            return None
        found.append(kept)
    return found
