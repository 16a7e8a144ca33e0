"""Whom we wrote to last, and from which account: what an answer is assigned by. Kept for as long as answers come."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from broker.domain.inbound import Written
from broker.domain.value import value
from broker.storage.transaction import Transaction


def read_correspondence(tx: Transaction, people: set[str]) -> Mapping[str, Sequence[Written]]:
    """What was last written to each of these people, by anybody."""
    found: defaultdict[str, list[Written]] = defaultdict(list)
    for person, *rest in tx.all("correspondence_of", people=sorted(people)):
        found[person].append(Written(*rest))
    return found


@value
class CorrespondencePlace:
    """A place within the correspondence, in its order."""

    person: str = ""
    address: str = ""
    account_id: int = 0
    provider: str = ""


@value
class CorrespondenceSweep:
    """Forget what was written before a time, of the next `rows_max` rows after a place."""

    after: CorrespondencePlace
    before_us: int
    rows_max: int


def sweep_correspondence(
    tx: Transaction, items: list[CorrespondenceSweep]
) -> list[CorrespondencePlace | None]:
    """Forget a stretch of whom we wrote to; answers where to go on, None at the end."""
    return [_sweep_one(tx, item) for item in items]


def _sweep_one(tx: Transaction, wish: CorrespondenceSweep) -> CorrespondencePlace | None:
    after = wish.after
    rows = tx.all(
        "correspondence_after",
        person=after.person,
        address=after.address,
        account_id=after.account_id,
        provider=after.provider,
        rows_max=wish.rows_max,
    )
    tx.bulk("forget_correspondence", [row[:4] for row in rows if row[4] < wish.before_us])
    return CorrespondencePlace(*rows[-1][:4]) if len(rows) == wish.rows_max else None
