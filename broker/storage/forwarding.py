"""Verbs that forward wishes to upstreams: one row for each provider instance and wish, which is queue and answer.

A row holds the last thing that was said; what was said before it and not yet told is never told, since the upstream
would only have to forget it. So the queue is no longer than there are wishes.
"""

from collections.abc import Sequence

from broker.domain.consent import Act, Scope, sender_key
from broker.domain.decision import CODE_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from broker.domain.forwarding import GAVE_UP, OptInAnswer, OptInChange, next_try_at
from broker.domain.outcome import NotAccepted, Unknown
from broker.domain.value import value
from broker.storage.consenting import change_of
from broker.storage.transaction import Row, Transaction

_Key = tuple[str, int, str, str]


@value
class FollowWish:
    """An instance that is to be told of what was put on record since it last was; `rows_max` records at once."""

    provider: str
    now_us: int
    rows_max: int


@value
class ForwardClaim:
    """A wish for what an instance is to be told now: at most `rows_max` changes, leased until `lease_until_us`."""

    provider: str
    now_us: int
    lease_until_us: int
    rows_max: int


@value
class Forward:
    """A change for an instance, told for the `tries`-th time."""

    key: _Key
    record_id: int
    tries: int
    change: OptInChange


@value
class ForwardReport:
    """What came of it."""

    forward: Forward
    answer: OptInAnswer | NotAccepted | Unknown
    now_us: int


@value
class UpstreamStanding:
    """What an instance was told of a wish, and what it answered. `pending`: it has not answered yet."""

    provider: str
    recipient: str
    sender_key: str
    pending: bool
    accepted: bool
    code: str
    text: str
    answered_at_us: int | None


def follow_record(tx: Transaction, items: list[FollowWish]) -> list[int]:
    """Queue what was put on record since; answers how many records were read for each."""
    return [_follow(tx, item) for item in items]


def _follow(tx: Transaction, wish: FollowWish) -> int:
    rows = tx.all("consent_records_after", after=_followed(tx, wish.provider), rows_max=wish.rows_max)
    if not rows:
        return 0
    last: dict[_Key, int] = {}
    for row in rows:
        change, record_id = change_of(row), row[14]
        # HELP asks for nothing, and whoever told us knows.
        if change.act is not Act.HELP and change.told_by != wish.provider:
            key = wish.provider, change.account_id, change.recipient, sender_key(change.sender)
            last[key] = record_id
    tx.bulk(
        "queue_upstream_opt_ins",
        [(*key, record_id, wish.now_us, 0, False, "", "", None) for key, record_id in last.items()],
    )
    tx.bulk("set_upstream_followers", [(wish.provider, rows[-1][14])])
    return len(rows)


def read_forwarding(tx: Transaction, provider: str) -> tuple[bool, int | None]:
    """Whether an instance is behind the record, and when it is to be told something next."""
    newest, due = tx.one("newest_consent_record"), tx.one("next_upstream_due", provider=provider)
    behind = newest is not None and (newest[0] or 0) > _followed(tx, provider)
    return behind, due[0] if due else None


def _followed(tx: Transaction, provider: str) -> int:
    row = tx.one("upstream_follower", provider=provider)
    return int(row[0]) if row else 0


def claim_forwards(tx: Transaction, items: list[ForwardClaim]) -> list[list[Forward]]:
    """Take what is due for each; it is due again when the lease runs out, should this process not settle it."""
    return [_claim(tx, item) for item in items]


def _claim(tx: Transaction, wish: ForwardClaim) -> list[Forward]:
    rows = tx.all("upstream_due", provider=wish.provider, now=wish.now_us, rows_max=wish.rows_max)
    forwards = [_forward(row) for row in rows]
    tx.bulk(
        "settle_upstream_opt_ins",
        [
            (*each.key, each.record_id, wish.lease_until_us, each.tries, False, "", "", None)
            for each in forwards
        ],
    )
    return forwards


def _forward(row: Row) -> Forward:
    change = OptInChange(
        sender=row[6],
        recipient=row[2],
        opted_in=Act(row[7]) is Act.OPT_IN,
        every_account=Scope(row[8]) is Scope.GLOBAL,
        keyword=row[9],
        organisation_name=row[10],
        recipient_name=row[11],
        time_us=row[12],
    )
    return Forward((row[0], row[1], row[2], row[3]), row[4], row[5] + 1, change)


def settle_forwards(tx: Transaction, items: list[ForwardReport]) -> list[None]:
    """Record each answer, or when the change is told again. What was said since then stays as it is."""
    tx.bulk("settle_upstream_opt_ins", [_settled(item) for item in items])
    return [None] * len(items)


def _settled(item: ForwardReport) -> tuple[object, ...]:
    forward, answer = item.forward, item.answer
    place = (*forward.key, forward.record_id)
    code, text = answer.code[:CODE_CHARACTERS_MAX], answer.text[:TEXT_CHARACTERS_MAX]
    if isinstance(answer, OptInAnswer):
        return (*place, None, forward.tries, answer.accepted, code, text, item.now_us)
    wish_s = answer.retry_after_s if isinstance(answer, NotAccepted) else None
    at_us = next_try_at(forward.tries, forward.change.time_us, item.now_us, wish_s)
    if at_us is None:
        return (*place, None, forward.tries, False, GAVE_UP, text, item.now_us)
    return (*place, at_us, forward.tries, False, code, text, None)


def read_upstream_standings(
    tx: Transaction, account_id: int, recipients: Sequence[str], providers: Sequence[str]
) -> list[UpstreamStanding]:
    """What these instances were told about recipients, and answered."""
    rows = tx.all(
        "upstream_opt_ins_of", account_id=account_id, recipients=list(recipients), providers=list(providers)
    )
    return [
        UpstreamStanding(row[0], row[1], row[2], row[3] is not None, bool(row[4]), row[5], row[6], row[7])
        for row in rows
    ]
