"""Text of a file of recipients, taken apart many lines at once where nothing in it needs care."""

import re
from collections.abc import Sequence
from functools import lru_cache

SHAPES_KEPT_MAX = 64


def table_of(lines: Sequence[str], delimiter: str, width: int) -> list[list[str]] | None:
    """The cells of lines by columns, as a reader of CSV finds them; None where that has to be asked.

    Lines are plain where each has `width` cells of printable text, without a quotation mark, and none begins with a space.
    A line may end as any system ends it.
    """
    text = "".join(lines)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if not text.endswith("\n"):
        text += "\n"
    if not _shape(delimiter, width).fullmatch(text):
        return None
    cells = text.replace("\n", delimiter).split(delimiter)
    cells.pop()  # after the last line's end
    if not (text.isascii() or "".join(cells).isprintable()):
        return None
    return [cells[at::width] for at in range(width)]


@lru_cache(maxsize=SHAPES_KEPT_MAX)
def _shape(delimiter: str, width: int) -> re.Pattern[str]:
    """Lines of so many cells, without characters of ASCII that cannot be printed."""
    apart = re.escape(delimiter)
    cell = rf'(?! )[^\x00-\x1f\x7f"{apart}]*+'
    return re.compile(rf"(?:{apart.join([cell] * width)}\n)++")
