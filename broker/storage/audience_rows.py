"""Rows of audiences as they are stored: addresses, and what else is known as JSON."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from typing import Any

import orjson

from broker.domain.audience import NOTHING_MORE, AudienceBlock, AudienceRow
from broker.domain.value import value

Cells = tuple[object, ...]


def audience_columns(audience_id: int, rows: Sequence[AudienceRow]) -> list[Cells]:
    """Rows of an audience as they are stored."""
    return [
        (audience_id, each.number, each.phone_number, each.email, each.device_token, _dump(each.more))
        for each in rows
    ]


@value
class StoredBlock:
    """A block as it is stored: columns of all but the audience, each a list or a text that all rows have."""

    rows: int
    columns: tuple[list[Any] | str, ...]


def stored_block(block: AudienceBlock) -> StoredBlock:
    """A block as it is stored. Call it before the transaction: others wait for the only writer."""
    addresses = (block.phone_numbers, block.emails, block.device_tokens)
    columns = (
        list(range(block.number, block.number + block.rows)),
        *["" if each is None else list(each) for each in addresses],
        _dump_block(block),
    )
    return StoredBlock(block.rows, columns)


def join_blocks(blocks: Sequence[StoredBlock]) -> list[StoredBlock]:
    """Blocks that have the same columns as one block: few large statements write more than many small ones."""
    alike: defaultdict[tuple[str | None, ...], list[StoredBlock]] = defaultdict(list)
    for block in blocks:
        alike[tuple(each if isinstance(each, str) else None for each in block.columns)].append(block)
    return [_joined(group, shared) for shared, group in alike.items()]


def _joined(blocks: Sequence[StoredBlock], shared: Sequence[str | None]) -> StoredBlock:
    """Blocks as one; `shared` has the texts that all rows have."""
    columns = [
        list(chain.from_iterable(block.columns[at] for block in blocks)) if text is None else text
        for at, text in enumerate(shared)
    ]
    return StoredBlock(sum(block.rows for block in blocks), tuple(columns))


def load_more(text: str) -> Mapping[str, Any]:
    """What `AudienceRow.more` was."""
    if not text:
        return NOTHING_MORE
    more: dict[str, Any] = orjson.loads(text)
    return more


def _dump_text(text: str) -> str:
    return orjson.dumps(text).decode()


def _dump(more: Mapping[str, Any]) -> str:
    return orjson.dumps(more).decode() if more else ""


def _dump_block(block: AudienceBlock) -> list[str] | str:
    """`more` of each row of a block."""
    values, others = block.values, block.others
    if not values and not others:
        return ""
    if not others and (bare := _dump_bare(values, block.rows)) is not None:
        return bare
    lines = zip(*values.values(), strict=True)
    tokens = [{name: text for name, text in zip(values, line, strict=True) if text} for line in lines]
    rest = [dict(zip(others, line, strict=True)) for line in zip(*others.values(), strict=True)]
    return [
        _dump(({"tokens": own} if own else {}) | other)
        for own, other in zip(tokens or repeat({}), rest or repeat({}), strict=False)
    ]


def _dump_bare(values: Mapping[str, Sequence[str]], rows: int) -> list[str] | None:
    """The same of values that are in JSON what they are, between quotes; None where any is not, or is empty.

    A fifth of the time that dictionaries take, for the like of most files.
    """
    # The text around the values of a row: before the first, between any two, and after the last.
    names = [f'{_dump_text(name)}:"' for name in values]
    around = ['{"tokens":{' + names[0], *[f'",{name}' for name in names[1:]], '"}}\n']
    width = 2 * len(values) + 1
    pieces: list[str] = [""] * (width * rows)
    for at, piece in enumerate(around):
        pieces[2 * at :: width] = [piece] * rows
    for at, texts in enumerate(values.values()):
        pieces[2 * at + 1 :: width] = texts
    text = "".join(pieces)
    quotes = rows * sum(piece.count('"') for piece in around)
    # More of them are in a value; two after a colon are around one that is empty.
    if text.count('"') != quotes or "\\" in text or ':""' in text:
        return None
    return text.split("\n")[:-1]
