"""Senders as admins work with them, and as intake asks for them."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from broker.delivery.identities import Identities
from broker.domain.account_policy import AccountPolicy
from broker.domain.carrying import FindCarriers
from broker.domain.sender import (
    POOL_SENDERS_MAX,
    SENDERS_MAX,
    Sender,
    SenderDraft,
    registered,
)
from broker.domain.sender_book import NOTHING_KEPT, KeptChoices, SenderBook
from broker.domain.sender_pool import recipient_key
from broker.domain.submission import Submission
from broker.domain.ways import normal_address, offered_channels, written_address
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Clock
from broker.storage.people import Reach
from broker.storage.senders import (
    ChoiceWish,
    NewSender,
    SenderName,
    SendersFull,
    SenderTaken,
    add_senders,
    read_accounts_with_senders,
    read_choices,
    read_senders,
    remove_senders,
)
from broker.storage.store import Store
from broker.storage.transaction import Transaction

Item = TypeVar("Item")
Answer = TypeVar("Answer")

BOOKS_CACHED_MAX = 1_000
_NO_RULES: Mapping[int, FindCarriers] = {}
_EMPTY = SenderBook()


class Senders:
    """Keeps the senders of every account, and has the rules that follow from them.

    Only this process writes the store, so what it has read stays true until it writes itself. `providers` are
    the names of the instances there are.
    """

    def __init__(
        self, store: Store, identities: Identities, clock: Clock, *, providers: Collection[str]
    ) -> None:
        self._store = store
        self._identities = identities
        self._clock = clock
        self._providers = providers
        self._having: set[int] | None = None
        self._books: OrderedDict[int, SenderBook] = OrderedDict()
        self._writes = 0
        self._writing: set[asyncio.Task[Any]] = set()

    async def create(self, account_id: int, draft: SenderDraft) -> Sender:
        """Register a sender. Raises BrokerError with every rule that the draft breaks, SENDER_EXISTS, SENDERS_FULL."""
        (sender_id,) = await self._identities.take(1)
        wish = registered(draft, sender_id, account_id, self._clock.now_us(), self._providers)
        if not isinstance(wish, Sender):
            violations = [Violation(f"sender.{each.field}", each.rule) for each in wish]
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=violations)
        item = NewSender(wish, SENDERS_MAX, POOL_SENDERS_MAX)
        answer = await self._write(add_senders, item, account_id)
        match answer:
            case SenderTaken():
                raise BrokerError(ErrorReason.SENDER_EXISTS)
            case SendersFull(allowed, pool):
                raise BrokerError(ErrorReason.SENDERS_FULL, metadata={"allowed": str(allowed), "pool": pool})
            case _:
                return answer

    async def delete(self, account_id: int, sender_id: int) -> None:
        """Remove a sender. Raises BrokerError SENDER_NOT_FOUND."""
        if not await self._write(remove_senders, SenderName(account_id, sender_id), account_id):
            raise BrokerError(ErrorReason.SENDER_NOT_FOUND)

    async def of(self, account_id: int) -> Sequence[Sender]:
        """An account's senders, oldest first."""
        return (await self._book(account_id)).senders

    async def rules(
        self,
        submissions: Sequence[Submission],
        people: Mapping[int, Reach],
        policies: Mapping[int, AccountPolicy],
    ) -> Mapping[int, FindCarriers]:
        """By place, the rules for those submissions that may not be from a free sender.

        `people` are whom those reach that name contacts, `policies` those of the accounts.
        """
        having = self._having
        while having is None:
            writes = self._writes
            found = await self._store.read(read_accounts_with_senders)
            if writes == self._writes:  # else what was read may be from before a write
                having = self._having = found
        concerned = [
            number
            for number, each in enumerate(submissions)
            if each.account_id in having
            or each.sender_pool
            or policies[each.account_id].senders_registered_only
        ]
        if not concerned:
            return _NO_RULES
        kept = await self._kept(submissions, concerned, people, policies)
        rules: dict[int, FindCarriers] = {}
        for number in concerned:
            account_id = submissions[number].account_id
            book = await self._book(account_id)
            rules[number] = partial(
                book.find,
                kept=kept.get(number, NOTHING_KEPT),
                registered_only=policies[account_id].senders_registered_only,
            )
        return rules

    async def _kept(
        self,
        submissions: Sequence[Submission],
        concerned: Sequence[int],
        people: Mapping[int, Reach],
        policies: Mapping[int, AccountPolicy],
    ) -> Mapping[int, KeptChoices]:
        """Whom the recipients of pools heard from last, by place; one read for them all."""
        wishes = {
            number: _choice_wish(
                submissions[number],
                people.get(number),
                policies[submissions[number].account_id],
            )
            for number in concerned
            if submissions[number].sender_pool
        }
        if not wishes:
            return {}
        found = await self._store.read(read_choices, list(wishes.values()))
        return dict(zip(wishes, found, strict=True))

    async def _book(self, account_id: int) -> SenderBook:
        if self._having is not None and account_id not in self._having:
            return _EMPTY
        known = self._books.get(account_id)
        if known is not None:
            self._books.move_to_end(account_id)
            return known
        writes = self._writes
        book = SenderBook(await self._store.read(read_senders, account_id))
        if writes == self._writes:
            self._books[account_id] = book
            if len(self._books) > BOOKS_CACHED_MAX:
                self._books.popitem(last=False)
        return book

    async def _write(
        self, verb: Callable[[Transaction, list[Item]], list[Answer]], item: Item, account_id: int
    ) -> Answer:
        """Write, and forget what is no longer true; a caller who goes away takes neither back."""

        async def writing() -> Answer:
            try:
                (answer,) = await self._store.write(verb, [item], [account_id])
            finally:
                self._changed(account_id)
            return answer

        task = asyncio.create_task(writing())
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return await asyncio.shield(task)

    def _changed(self, account_id: int) -> None:
        """The next look finds what was written."""
        self._writes += 1
        self._books.pop(account_id, None)
        if self._having is not None:
            self._having.add(account_id)


def _choice_wish(submission: Submission, people: Reach | None, policy: AccountPolicy) -> ChoiceWish:
    """Of every recipient and person, all the addresses that the pool could be used for."""
    recipients = (
        [each.recipient for each in people] if isinstance(people, tuple) else list(submission.recipients)
    )
    keys = {
        recipient_key(submission.account_id, submission.sender_pool, address)
        for channel in offered_channels(submission, policy)
        for recipient in recipients
        if (written := written_address(recipient, channel)) is not None
        if (address := normal_address(written, channel, policy.default_region)) is not None
    }
    return ChoiceWish(submission.account_id, submission.sender_pool, sorted(keys))
