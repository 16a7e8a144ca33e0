"""What callers do with broadcasts: make, edit, move and read them."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from broker.delivery.broadcasts.upstream import UpstreamBroadcasts
from broker.delivery.identities import Identities
from broker.delivery.intake import Intake
from broker.domain.broadcast import Broadcast, BroadcastState, Move, Progress, Wish
from broker.domain.fingerprint import fingerprint
from broker.domain.handing import problems
from broker.domain.plan import Plan
from broker.domain.submission import Submission
from broker.domain.upstream_broadcast import HandedOver
from broker.domain.vocabulary import Reason
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Clock
from broker.storage.acceptance import Reused, read_remembered
from broker.storage.broadcast_rows import (
    BroadcastQuery,
    read_active_count,
    read_broadcast,
    read_broadcasts,
    read_refusals,
)
from broker.storage.broadcasts import (
    Edit,
    NewBroadcast,
    NoSuchBroadcast,
    NotMovable,
    UploadGone,
    Wanted,
    edit_broadcasts,
    make_broadcasts,
    move_broadcasts,
    read_broadcast_made,
)
from broker.storage.groups import read_group
from broker.storage.store import Store
from broker.storage.transaction import Transaction
from broker.storage.uploads import UploadState, read_upload

__all__ = ["BroadcastQuery", "Broadcasts"]

Answer = Broadcast | NoSuchBroadcast | NotMovable | UploadGone
Refusals = list[tuple[Reason, int]]

MOVES: Mapping[Move, str] = {
    Move.EDIT: "edited",
    Move.START: "started",
    Move.SUSPEND: "suspended",
    Move.RESUME: "resumed",
    Move.STOP: "stopped",
    Move.DELETE: "deleted",
}
VIOLATIONS_MAX = 100


class Broadcasts:
    """`hint` is called when there may be work for the background."""

    def __init__(
        self,
        store: Store,
        identities: Identities,
        intake: Intake,
        clock: Clock,
        upstream: UpstreamBroadcasts,
        *,
        request_id_memory_s: float,
        active_max: int,
        hint: Callable[[], None],
    ) -> None:
        self._store = store
        self._identities = identities
        self._intake = intake
        self._clock = clock
        self._upstream = upstream
        self._remember_us = round(request_id_memory_s * 1_000_000)
        self._active_max = active_max
        self._hint = hint

    async def create(self, wish: Wish, request: bytes) -> Broadcast:
        """Store a broadcast; it is on disk when this returns, and starts in the background.

        `request` is kept as it is, and read again when the broadcast begins. Raises what refuses it whole.
        """
        asked, now_us = wish.submission, self._clock.now_us()
        print_ = _fingerprint(wish)
        if asked.request_id and (made := await self._made_before(asked, print_, now_us)):
            return made
        if not wish.draft and await self._store.read(read_active_count, self._active_max) >= self._active_max:
            raise BrokerError(ErrorReason.BROADCASTS_FULL, retry_after_s=60)
        expected = await self._judge(wish, now_us)
        (broadcast_id,) = await self._identities.take(1)
        broadcast = _broadcast(broadcast_id, wish, expected, now_us)
        bare = replace(asked, recipients=())
        plan = Plan(broadcast_id, bare, now_us, print_, (), 0)
        item = NewBroadcast(broadcast, request, plan, self._remember_us)
        (answer,) = await self._store.write(make_broadcasts, [item], [asked.account_id])
        if isinstance(answer, Reused):
            raise BrokerError(ErrorReason.REQUEST_ID_REUSED, metadata={"request_id": answer.request_id})
        if isinstance(answer, UploadGone):
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[_NO_UPLOAD])
        self._hint()
        return answer

    async def edit(self, broadcast_id: int, wish: Wish, request: bytes) -> Broadcast:
        """Replace what was asked for, before it begins."""
        found = await self.get(wish.submission.account_id, broadcast_id)
        if found.upstream_provider != wish.upstream_provider:
            changed = Violation("upstream_provider", "cannot be changed; make another broadcast")
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[changed])
        now_us = self._clock.now_us()
        expected = await self._judge(wish, now_us)
        item = Edit(_broadcast(broadcast_id, wish, expected, now_us), request)
        (answer,) = await self._store.write(edit_broadcasts, [item], [wish.submission.account_id])
        self._hint()
        return _moved(answer, Move.EDIT)

    async def move(self, account_id: int, broadcast_id: int, wish: Move) -> Broadcast:
        """Start, suspend, resume, stop or delete it."""
        item = Wanted(account_id, broadcast_id, wish, self._clock.now_us())
        (answer,) = await self._store.write(move_broadcasts, [item], [account_id])
        if isinstance(answer, HandedOver):
            return await self._upstream.control(account_id, broadcast_id, wish)
        self._hint()
        return _moved(answer, wish)

    async def get(self, account_id: int, broadcast_id: int) -> Broadcast:
        """As it is now."""
        found = await self._store.read(read_broadcast, account_id, broadcast_id)
        if found is None:
            raise BrokerError(ErrorReason.BROADCAST_NOT_FOUND)
        return found

    async def upstream_id(self, broadcast: Broadcast) -> str:
        """Under which id the upstream that runs it has it; empty where there is none."""
        return await self._upstream.upstream_id(broadcast)

    async def refusals(self, broadcast_id: int) -> Refusals:
        """How many recipients were refused, by reason."""
        return await self._store.read(read_refusals, broadcast_id)

    async def page(self, query: BroadcastQuery) -> list[Broadcast]:
        """Broadcasts of an account, newest first."""
        return await self._store.read(read_broadcasts, query)

    async def _made_before(self, asked: Submission, print_: str, now_us: int) -> Broadcast | None:
        """What the same request made before, even where it would be refused now."""
        since_us = now_us - self._remember_us
        found = await self._store.read(read_remembered, asked.account_id, asked.request_id, print_, since_us)
        return None if found is None else await self._store.read(read_broadcast_made, found)

    async def _judge(self, wish: Wish, now_us: int) -> int:
        """How many recipients are to be expected. Raises whatever refuses the broadcast whole."""
        if wish.upstream_provider:
            self._upstream.check(wish.upstream_provider)
        worded = await self._intake.worded(wish.submission)
        (planned,) = await self._intake.planned([(replace(worded, recipients=()), [0], None)], now_us)
        if isinstance(planned, BrokerError):
            raise planned
        if missing := _missing(worded):
            raise BrokerError(ErrorReason.TOKEN_MISSING, violations=missing)
        sizes = await self._store.read(_read_sizes, wish)
        violations = [
            Violation(f"audience.group_ids[{at}]", "the account has no such group")
            for at, size in enumerate(sizes[1:])
            if size is None
        ]
        if wish.upload_id is not None and sizes[0] is None:
            violations.append(_NO_UPLOAD)
        if wish.upstream_provider:
            violations += problems(worded, planned)
        if violations:
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=violations)
        return len(wish.submission.recipients) + sum(each or 0 for each in sizes)


_NO_UPLOAD = Violation("audience.upload_id", "the account has no such upload, or its file was refused")


def _read_sizes(tx: Transaction, wish: Wish) -> list[int | None]:
    """How many are in the upload and in each group; None where the account has no such thing."""
    account_id = wish.submission.account_id
    groups = [read_group(tx, account_id, each) for each in wish.group_ids]
    return [_upload_size(tx, wish), *(None if each is None else each.member_count for each in groups)]


def _upload_size(tx: Transaction, wish: Wish) -> int | None:
    upload = None if wish.upload_id is None else read_upload(tx, wish.submission.account_id, wish.upload_id)
    return upload.rows if upload is not None and upload.state is UploadState.USABLE else None


def _missing(worded: Submission) -> list[Violation]:
    """What recipients who are named by address lack of the values that the content needs."""
    wanted = worded.content.names - worded.shared_tokens.keys()
    if not wanted:
        return []
    return [
        Violation(f"audience.recipients[{at}].tokens", f"lacks a value for ${name}$")
        for at, each in enumerate(worded.recipients)
        if each.contact is None
        for name in sorted(wanted - (each.tokens or {}).keys())
    ][:VIOLATIONS_MAX]


def _fingerprint(wish: Wish) -> str:
    parts = (
        fingerprint(wish.submission),
        wish.name,
        wish.group_ids,
        wish.upload_id,
        wish.messages_per_minute,
        wish.draft,
        *filter(None, (wish.upstream_provider,)),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _broadcast(broadcast_id: int, wish: Wish, expected: int, now_us: int) -> Broadcast:
    asked = wish.submission
    ahead = asked.schedule_at_us is not None and asked.schedule_at_us > now_us
    state = BroadcastState.SCHEDULED if ahead else BroadcastState.RUNNING
    return Broadcast(
        broadcast_id=broadcast_id,
        account_id=asked.account_id,
        name=wish.name,
        state=BroadcastState.DRAFT if wish.draft else state,
        schedule_at_us=asked.schedule_at_us,
        messages_per_minute=wish.messages_per_minute,
        upload_id=wish.upload_id,
        created_at_us=now_us,
        started_at_us=None if wish.draft or ahead else now_us,
        progress=Progress(expected=expected),
        upstream_provider=wish.upstream_provider,
    )


def _moved(answer: Answer, wish: Move) -> Broadcast:
    match answer:
        case NoSuchBroadcast():
            raise BrokerError(ErrorReason.BROADCAST_NOT_FOUND)
        case UploadGone():
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[_NO_UPLOAD])
        case NotMovable(state):
            raise BrokerError(
                ErrorReason.BROADCAST_NOT_MOVABLE,
                f"a broadcast that is {state.name} cannot be {MOVES[wish]}",
                metadata={"state": state.name},
            )
        case _:
            return answer
