"""Weighted lots: an order by chance that follows from an id, so that it can be drawn again."""

import math
from hashlib import blake2b

_MASK = (1 << 64) - 1


def ticket_of(name: str) -> int:
    """What sets one name's lots apart from another's: 64 bits."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")


def draw(number: int, ticket: int, weight: int) -> float:
    """When a ticket comes up for a number; the lowest is first.

    Times are exponential with the weight as their rate, so a ticket is first among others with the
    probability of its share of all their weights, and likewise among those that are left.
    """
    # The finalizer of SplitMix64: neighbours become numbers that have nothing to do with each other.
    mixed = number ^ ticket
    mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & _MASK
    mixed ^= mixed >> 31
    return -math.log((mixed + 1) / (_MASK + 2)) / weight
