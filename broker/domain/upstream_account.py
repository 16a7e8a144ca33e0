"""What an upstream says of the account that a provider instance has with it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class UpstreamBalance:
    """What the instance's account with its upstream has, in millionths. `currency` "": credits of the upstream's own."""

    amount_micros: int
    currency: str = ""


@dataclass(frozen=True, slots=True)
class UpstreamUsage:
    """One count of an upstream: what it counts, in its own word, and how many; of one day, or None: of the whole range."""

    name: str
    count: int
    day: date | None = None
