"""What an event says of a broadcast: plain values, and the broadcast read back from them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from broker.domain.broadcast import Broadcast, BroadcastState, Progress


def told_of(now: Broadcast, previous: BroadcastState) -> dict[str, object]:
    """The broadcast as it is, and its state before."""
    progress = {name: getattr(now.progress, name) for name in Progress.__match_args__}
    fields: dict[str, object] = {
        name: getattr(now, name) for name in Broadcast.__match_args__ if name != "progress"
    }
    return fields | {"progress": progress, "previous_state": previous}


def broadcast_told(told: Mapping[str, Any]) -> tuple[Broadcast, BroadcastState]:
    """The broadcast as it was, and its state before."""
    fields = {name: given for name, given in told.items() if name != "previous_state"}
    now = Broadcast(**fields)
    now = replace(now, state=BroadcastState(now.state), progress=Progress(**told["progress"]))
    return now, BroadcastState(told["previous_state"])
