"""Pools: which of several senders a recipient gets, and that it is the same one each time.

The senders of a pool are ranked for a recipient by rendezvous hashing: a new member takes over only the
recipients for whom it ranks first, and a removed one leaves all others as they are. Who has been written to
is kept in the store, so that not even those change.
"""

from collections.abc import Sequence
from hashlib import blake2b

from broker.domain.lot import draw, ticket_of
from broker.domain.sender import Sender

CHOICE_USED_STEP_US = 86_400 * 1_000_000
"""That a choice is still in use is noted once a day."""

CHOICE_MEMORY_US = 180 * CHOICE_USED_STEP_US
"""A choice that was not used for so long is forgotten."""

_KEY_BYTES_MAX = 64


class PoolRanks:
    """The members of one pool, in the order in which to try them for a recipient."""

    def __init__(self, members: Sequence[Sender]) -> None:
        self.members = tuple(members)
        self._tickets = {each.value: ticket_of(each.value) for each in members}

    def order(self, address: str, kept: str | None) -> Sequence[Sender]:
        """Ranked for an address; the sender that was kept for it goes first where it is still a member."""
        number, tickets = ticket_of(address), self._tickets
        return sorted(
            self.members,
            key=lambda each: (each.value != kept, draw(number, tickets[each.value], 1), each.sender_id),
        )


def recipient_key(account_id: int, pool: str, address: str) -> str:
    """What stands for a recipient's address where choices are kept: 32 characters, from which it is not read."""
    key = f"{account_id}/{pool}".encode()[:_KEY_BYTES_MAX]
    return blake2b(address.encode(), digest_size=16, key=key).hexdigest()
