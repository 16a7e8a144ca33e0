"""Whose turn it is: messages of several accounts in one order in which none starves another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil
from typing import TypeVar

Item = TypeVar("Item")
Weights = Callable[[int], int]
"""How many messages an account may put into each turn, at least 1."""


def equal_weights(_account_id: int) -> int:
    """Every account counts the same."""
    return 1


def fair_portion(accounts: Sequence[int], room: int, weight_of: Weights = equal_weights) -> int:
    """How many messages to look at for each account, so that their turns can fill the room."""
    weights = [weight_of(account_id) for account_id in accounts]
    return ceil(room * max(weights) / sum(weights))


def in_turns(
    queues: Mapping[int, Sequence[Item]], weight_of: Weights = equal_weights
) -> Iterator[tuple[int, Item]]:
    """Each account's messages with the account: in every turn `weight_of(account)` of each, in the given order.

    Within an account the order stays. An account without more messages leaves its part to the others.
    """
    waiting = {account_id: iter(queue) for account_id, queue in queues.items()}
    while waiting:
        for account_id in list(waiting):
            for _ in range(weight_of(account_id)):
                try:
                    item = next(waiting[account_id])
                except StopIteration:
                    del waiting[account_id]
                    break
                yield account_id, item
