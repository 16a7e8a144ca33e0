"""Rows of audiences as they are stored: addresses, and what else is known as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import orjson

from broker.domain.audience import NOTHING_MORE, AudienceBlock, AudienceRow

Columns = tuple[object, ...]


def audience_columns(audience_id: int, rows: Sequence[AudienceRow]) -> list[Columns]:
    """Rows of an audience as they are stored."""
    return [
        (audience_id, each.number, each.phone_number, each.email, each.device_token, _dump(each.more))
        for each in rows
    ]


def block_columns(audience_id: int, block: AudienceBlock) -> Iterable[Columns]:
    """The same of a block."""
    addresses = (block.phone_numbers, block.emails, block.device_tokens)
    return zip(
        repeat(audience_id),
        range(block.number, block.number + block.rows),
        *[repeat("") if each is None else each for each in addresses],
        _dump_block(block),
        strict=False,
    )


def load_more(text: str) -> Mapping[str, Any]:
    """What `AudienceRow.more` was."""
    if not text:
        return NOTHING_MORE
    more: dict[str, Any] = orjson.loads(text)
    return more


def _dump(more: Mapping[str, Any]) -> str:
    return orjson.dumps(more).decode() if more else ""


def _dump_block(block: AudienceBlock) -> Iterable[str]:
    """`more` of each row of a block."""
    values, others = block.values, block.others
    if not values and not others:
        return repeat("")
    lines = zip(*values.values(), strict=True)
    if not others and all(map(_is_bare, values.values())):
        # A third of the time that a dictionary takes, for the like of most files.
        return map(_dump({"tokens": dict.fromkeys(values, "%s")}).__mod__, lines)
    tokens = [{name: text for name, text in zip(values, line, strict=True) if text} for line in lines]
    rest = [dict(zip(others, line, strict=True)) for line in zip(*others.values(), strict=True)]
    return [
        _dump(({"tokens": own} if own else {}) | other)
        for own, other in zip(tokens or repeat({}), rest or repeat({}), strict=False)
    ]


def _is_bare(texts: Sequence[str]) -> bool:
    """Whether texts are in JSON what they are, between quotes; none of them is empty."""
    text = "".join(texts)
    return "" not in texts and '"' not in text and "\\" not in text and text.isprintable()
