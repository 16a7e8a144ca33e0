"""Senders for people."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from broker.cli.grid import Column, grid
from broker.cli.wording import word_of
from waypost.v1 import sender_pb2

_COLUMNS = (
    Column("sender id"),
    Column("sender"),
    Column("kind"),
    Column("country", rare=True),
    Column("can"),
    Column("default", rare=True),
    Column("pool", rare=True),
    Column("providers", rare=True),
    Column("tags", rare=True),
)


def senders_table(senders: Sequence[sender_pb2.Sender], *, more: bool) -> RenderableType:
    """A row for each."""
    if not senders:
        return Text("no sender: `waypost senders add SENDER` registers one")
    table = grid(_COLUMNS, [_cells(each) for each in senders])
    return Group(table, Text("and more: raise --limit")) if more else table


def _cells(sender: sender_pb2.Sender) -> Sequence[str]:
    able = [word_of(sender_pb2.SenderCapability.DESCRIPTOR, each) for each in sender.capabilities]
    return (
        sender.sender_id,
        sender.value,
        kind_word(sender),
        sender.country,
        ", ".join(able).lower().replace("_", " "),
        "yes" if sender.is_default else "",
        sender.pool,
        ", ".join(sender.providers),
        ", ".join(sender.tags),
    )


def kind_word(sender: sender_pb2.Sender) -> str:
    """A kind as "short code"."""
    return word_of(sender_pb2.SenderKind.DESCRIPTOR, sender.kind).lower().replace("_", " ")
