"""Hand-overs of broadcasts to upstreams, as they are stored."""

from dataclasses import replace

from broker.domain.broadcast import Move
from broker.domain.upstream_broadcast import WITH_UPSTREAM, HandOver, Phase
from broker.storage.transaction import Row, Transaction


def read_hand_over(tx: Transaction, broadcast_id: int) -> HandOver | None:
    """How far the hand-over of a broadcast is; None where none was intended yet."""
    row = tx.one("hand_over", broadcast_id=broadcast_id)
    return None if row is None else hand_over_of(row)


def is_with_upstream(tx: Transaction, broadcast_id: int) -> bool:
    """Whether an upstream has a broadcast, or may have it."""
    own = read_hand_over(tx, broadcast_id)
    return own is not None and own.phase in WITH_UPSTREAM


def put_hand_over(tx: Transaction, own: HandOver) -> HandOver:
    """Store it; as it is then."""
    own = replace(own, version=own.version + 1)
    tx.bulk(
        "put_hand_overs",
        [
            (
                own.broadcast_id,
                own.account_id,
                own.provider,
                own.phase,
                own.upstream_id,
                own.recipients,
                own.attempts,
                own.asks,
                own.handed_over_at_us,
                own.at_us,
                own.wish,
                own.version,
            )
        ],
    )
    return own


def hand_over_of(row: Row) -> HandOver:
    """A hand-over as the statements read it."""
    found = HandOver(*row)
    return replace(found, phase=Phase(row[3]), wish=None if row[10] is None else Move(row[10]))
