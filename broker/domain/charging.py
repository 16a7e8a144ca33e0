"""Charging: what a message costs its account, and what becomes of that on the way.

    HELD when it is accepted: the price through the dearest provider that may carry it.
    SETTLED when a provider took it, or nobody can tell: the price through the one that did. What was held beyond
        that is free again. A message is charged once, however often it is tried.
    REFUNDED when it fails, is refused, cancelled or expires, before or after it was charged.

Accounts whose policy does not enforce credit are charged nothing: their messages have a price and no charge.
"""

from enum import IntEnum

from broker.domain.lifecycle import State


class Charge(IntEnum):
    """What became of a message's price. Numbers are stored."""

    NONE = 0
    HELD = 1
    SETTLED = 2
    REFUNDED = 3


SENT = frozenset({State.SENT, State.SENT_FINAL, State.DELIVERED, State.UNKNOWN})
"""A provider took it, or may have."""

FAILED = frozenset({
    State.SENDING_FAILED,
    State.DELIVERY_FAILED,
    State.REJECTED,
    State.EXPIRED,
    State.CANCELLED,
})

_AFTER: dict[tuple[Charge, State], Charge] = {
    **{(Charge.HELD, state): Charge.SETTLED for state in SENT},
    **{(charge, state): Charge.REFUNDED for charge in (Charge.HELD, Charge.SETTLED) for state in FAILED},
}


def charge_after(charge: Charge, state: State) -> Charge:
    """What becomes of a charge when its message reaches a state."""
    return _AFTER.get((charge, state), charge)
