"""Webhooks for people."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from broker.cli.grid import Column, grid
from broker.cli.wording import word_of
from waypost.v1 import event_pb2, status_pb2, webhook_pb2

_COLUMNS = (
    Column("webhook id"),
    Column("url"),
    Column("state", styles={"enabled": "green", "disabled": "red"}),
    Column("why", rare=True),
    Column("wants"),
    Column("waiting", right=True),
    Column("failures in a row", right=True, rare=True),
    Column("description", rare=True),
)


def webhooks_table(webhooks: Sequence[webhook_pb2.Webhook]) -> RenderableType:
    """A row for each."""
    if not webhooks:
        return Text("no webhook: `waypost webhooks create URL` makes one")
    return grid(_COLUMNS, [_cells(each) for each in webhooks])


def _cells(webhook: webhook_pb2.Webhook) -> Sequence[str]:
    kinds = [word_of(event_pb2.EventKind.DESCRIPTOR, each).lower() for each in webhook.kinds]
    facts = [word_of(status_pb2.MessageFact.DESCRIPTOR, each).lower() for each in webhook.facts]
    reason = webhook.disable_reason
    return (
        webhook.webhook_id,
        webhook.url,
        word_of(webhook_pb2.WebhookState.DESCRIPTOR, webhook.state).lower(),
        word_of(webhook_pb2.WebhookDisableReason.DESCRIPTOR, reason).lower() if reason else "",
        ", ".join([*kinds, *facts]) or "everything",
        str(webhook.waiting),
        str(webhook.failures or ""),
        webhook.description,
    )
