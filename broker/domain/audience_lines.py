"""Lines of a file of recipients, a column at a time: where all is plain that costs a third of taking line by line."""

from collections.abc import Sequence
from typing import Any

from broker.domain.address import all_normal
from broker.domain.audience import AudienceBlock
from broker.domain.audience_file import JUDGES, SHORT, Cell, Columns, Meaning
from broker.domain.tokens import VALUE_CHARACTERS_MAX

LINES_AT_ONCE = 100
"""One odd line among them sends all of them the slow way."""


def plain_block(
    number: int, lines: Sequence[Sequence[Cell] | str], columns: Columns, now_us: int, region: str
) -> AudienceBlock | None:
    """What `row_of_cells` makes of each line, the first one with `number`; None where it has to be asked.

    Plain lines are whole, of printable text, with all addresses and nothing wrong. Values may be empty.
    """
    if set(map(type, lines)) != {list} or set(map(len, lines)) != {len(columns.names)}:
        return None
    found: dict[Meaning, Sequence[Any]] = {}
    values: dict[str, Sequence[str]] = {}
    for name, cells in zip(columns.names, zip(*lines, strict=True), strict=True):
        if not _is_plain(cells):
            return None
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
    return AudienceBlock(number, len(lines), phone_numbers, emails, device_tokens, values, others)


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
    judged = [judge(each.strip(), each, now_us, region) for each in cells]
    return None if any(problem for _, problem in judged) else [kept for kept, _ in judged]
