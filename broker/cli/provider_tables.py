"""Providers for people."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from broker.cli.amounts import amount_text
from broker.cli.grid import Column, card, grid
from broker.cli.wording import local_time, printable, word_of
from waypost.v1 import channel_pb2, provider_pb2, provider_service_pb2

_INSTANCES = (
    Column("name"),
    Column("type"),
    Column("state", styles={"enabled": "green", "drained": "yellow"}),
    Column("channels"),
    Column("receipts"),
    Column("idempotency"),
    Column("batch", right=True),
    Column("in flight", right=True),
    Column("circuit", rare=True, style="red"),
    Column("at most", rare=True, style="yellow"),
    Column("also", rare=True),
    Column("callback address", rare=True),
)
_TYPES = (
    Column("type"),
    Column("distribution"),
    Column("version"),
    Column("channels"),
    Column("error", rare=True, style="red"),
)
_COUNTS = (Column("day", rare=True), Column("counted"), Column("count", right=True))


def instances_table(instances: Sequence[provider_pb2.Provider]) -> RenderableType:
    """A row for each configured instance."""
    if not instances:
        return Text("no provider is configured: nothing can be sent")
    return grid(_INSTANCES, [_instance_cells(each) for each in instances])


def _instance_cells(instance: provider_pb2.Provider) -> Sequence[str]:
    able = instance.capabilities
    return (
        instance.name,
        instance.type,
        word_of(provider_pb2.ProviderState.DESCRIPTOR, instance.state).lower(),
        _channels(able.channels),
        word_of(provider_pb2.ReceiptMode.DESCRIPTOR, able.receipts).lower(),
        word_of(provider_pb2.IdempotencyMode.DESCRIPTOR, able.idempotency).lower(),
        str(able.batch_max),
        str(instance.in_flight),
        _circuit(instance.health),
        _limit(instance.throttle),
        ", ".join(_besides(able)),
        instance.callback_url,
    )


def _besides(able: provider_pb2.ProviderCapabilities) -> Iterator[str]:
    """What it does that is no message."""
    if able.opt_in:
        yield "opt-ins"
    if able.balance:
        yield "balance"
    if able.usage:
        yield "usage"
    if able.senders:
        yield "senders"
    if able.keywords:
        yield " ".join(["keywords at", *able.keyword_addresses]) if able.keyword_addresses else "keywords"
    if able.broadcast:
        yield f"broadcasts of {able.broadcast_recipients_max:,}"


def _circuit(health: provider_pb2.ProviderHealth) -> str:
    """Nothing while it works."""
    if health.circuit in {
        provider_pb2.CIRCUIT_STATE_UNSPECIFIED,
        provider_pb2.CIRCUIT_STATE_CLOSED,
    }:
        return ""
    word = word_of(provider_pb2.CircuitState.DESCRIPTOR, health.circuit).lower().replace("_", " ")
    probed = f", probed at {local_time(health.next_probe_time)}" if health.HasField("next_probe_time") else ""
    return f"{word}{probed}"


def _limit(throttle: provider_pb2.ProviderThrottle) -> str:
    """Nothing where there is no limit."""
    if throttle.HasField("held_until_time"):
        return f"held until {local_time(throttle.held_until_time)}"
    if not throttle.HasField("segments_per_second_max"):
        return ""
    return f"{throttle.segments_per_second_max:g}/s"


def types_table(types: Sequence[provider_pb2.ProviderType], *, verbose: bool) -> RenderableType:
    """A row for each installed type; of a broken one the last line of its error, or below all of it."""
    if not types:
        return Text("no provider type is installed")
    rows = [
        (each.name, each.distribution, each.version, _channels(each.channels), last_line(each.error))
        for each in types
    ]
    shown: list[RenderableType] = [grid(_TYPES, rows)]
    for each in types:
        if verbose and each.error:
            shown += ["", Text(f"{printable(each.name)}:"), _whole(each.error)]
    return Group(*shown)


def upstream_table(told: provider_service_pb2.GetUpstreamUsageResponse) -> RenderableType:
    """What an instance's account with its upstream has, and what was counted there; nothing of what it does not tell."""
    facts = []
    if told.HasField("balance"):
        unit = told.balance.currency or "credits"
        facts.append(("balance", f"{amount_text(told.balance.amount_micros)} {unit}"))
    if told.tells_senders:
        facts.append(("senders", ", ".join(told.senders) or "none"))
    if told.tells_usage and not told.counts:
        facts.append(("counts", "nothing was counted"))
    counts = [(each.day, each.name, f"{each.count:,}") for each in told.counts]
    shown: list[RenderableType] = [card(facts, {})] if facts else []
    if counts:
        shown += ["", grid(_COUNTS, counts)]
    return Group(*shown)


def last_line(error: str) -> str:
    """Where a traceback says what went wrong."""
    return error.strip().rpartition("\n")[2]


def _whole(error: str) -> Text:
    return Text("\n".join(printable(line) for line in error.strip().splitlines()), style="red")


def _channels(channels: Iterable[int]) -> str:
    return ", ".join(word_of(channel_pb2.Channel.DESCRIPTOR, each).lower() for each in channels)
