"""Keywords for people."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from broker.cli.amounts import amount_text
from broker.cli.grid import Column, grid
from waypost.v1 import keyword_pb2

_COLUMNS = (
    Column("sender"),
    Column("keyword"),
    Column("autoreply"),
    Column("group", rare=True),
    Column("forwarded to", rare=True),
    Column("called", rare=True),
    Column("paid", right=True, rare=True),
)


def keywords_table(keywords: Sequence[keyword_pb2.Keyword]) -> RenderableType:
    """A row for each."""
    if not keywords:
        return Text("no keyword: `waypost keywords rent SENDER KEYWORD` rents one")
    return grid(_COLUMNS, [_cells(each) for each in keywords])


def _cells(keyword: keyword_pb2.Keyword) -> Sequence[str]:
    alone = " alone" if keyword.callback_url and keyword.send_unique else ""
    return (
        keyword.sender,
        keyword.keyword,
        keyword.autoreply,
        keyword.group_id,
        keyword.forward_to_email,
        keyword.callback_url + alone,
        f"{amount_text(keyword.price.amount_micros)} {keyword.price.currency}"
        if keyword.price.currency
        else "",
    )
