"""Verbs of frequency caps: what counts for the contacts of an account, and who has had enough.

A contact has one row, with the times at which its messages are due. It is read and written in the transaction that
stores the messages, which holds the account: so two sends that race are counted one after the other.
"""

from collections import defaultdict
from collections.abc import Sequence

import orjson

from broker.domain.capping import Dues, counting_for, held_to_cap
from broker.domain.plan import Plan
from broker.domain.value import value
from broker.storage.transaction import Transaction


@value
class ForgetPromotions:
    """Forget at most `rows_max` contacts of whom nothing counts any more."""

    now_us: int
    rows_max: int


class CapCounts:
    """What counts for the contacts of some plans, with what those of them add that are stored."""

    def __init__(self, tx: Transaction, plans: Sequence[Plan]) -> None:
        self._tx = tx
        self._dues: dict[int, dict[int, Sequence[int]]] = {}
        self._changed: dict[tuple[int, int], tuple[object, ...]] = {}
        wanted: defaultdict[int, set[int]] = defaultdict(set)
        for plan in plans:
            if plan.cap is not None:
                found = [each for message in plan.messages if (each := counting_for(message)) is not None]
                wanted[plan.submission.account_id].update(found)
        for account_id, contact_ids in wanted.items():
            self._dues[account_id] = _read(tx, account_id, contact_ids) if contact_ids else {}

    def held(self, plan: Plan) -> tuple[Plan, Dues]:
        """The plan as its cap allows it, and what `count` takes once it is sure to be stored."""
        if plan.cap is None:
            return plan, _NOTHING
        return held_to_cap(plan, self._dues[plan.submission.account_id])

    def count(self, plan: Plan, dues: Dues) -> None:
        """The messages of a plan count."""
        if plan.cap is None:
            return
        account_id = plan.submission.account_id
        self._dues[account_id].update(dues)
        for contact_id, each in dues.items():
            document = orjson.dumps(each).decode()
            row = (account_id, contact_id, document, each[-1] + plan.cap.window_us)
            self._changed[account_id, contact_id] = row

    def flush(self) -> None:
        """Write it all."""
        if self._changed:
            self._tx.bulk("keep_contact_promotions", list(self._changed.values()))


_NOTHING: Dues = {}


def read_capped(tx: Transaction, plan: Plan) -> Plan:
    """The plan as its cap would allow it now; nothing is counted."""
    held, _ = CapCounts(tx, [plan]).held(plan)
    return held


def read_promotions(tx: Transaction, account_id: int, contact_ids: Sequence[int]) -> Dues:
    """When the counted messages of contacts are due, of those who have any."""
    return _read(tx, account_id, set(contact_ids))


def forget_promotions(tx: Transaction, items: list[ForgetPromotions]) -> list[int]:
    """Forget one batch for each item; answers how many went, so that the caller goes on."""
    return [
        len(tx.all("forget_contact_promotions", now_us=item.now_us, rows_max=item.rows_max)) for item in items
    ]


def _read(tx: Transaction, account_id: int, contact_ids: set[int]) -> dict[int, Sequence[int]]:
    rows = tx.all("contact_promotions", account_id=account_id, contact_ids=sorted(contact_ids))
    return {contact_id: orjson.loads(dues) for contact_id, dues in rows}
