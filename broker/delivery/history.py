"""Messages as callers look at them: one, a page, and the wishes to cancel, delete or mark one."""

from collections.abc import Sequence

from broker.domain.correlation import MessageFilter
from broker.domain.ids import format_id
from broker.domain.lifecycle import State
from broker.domain.records import MessageRecord, TimelineRecord
from broker.errors import BrokerError, ErrorReason
from broker.spi import Clock
from broker.storage.erasing import Deletion, Mark, NotEnded, NotMarkable, delete, mark
from broker.storage.history import (
    Cancellation,
    NoSuchMessage,
    NotCancellable,
    cancel,
    read_message,
)
from broker.storage.listing import IndexProgress, MessagePage, MessageQuery, read_page
from broker.storage.store import Store

__all__ = ["History", "IndexProgress", "MessageFilter", "MessagePage", "MessageQuery"]


class History:
    """Reads of stored messages, and what callers do to them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def message(
        self, account_id: int, message_id: int
    ) -> tuple[MessageRecord, Sequence[TimelineRecord]] | None:
        """A message with its timeline; None also for another account's."""
        return await self._store.read(read_message, account_id, message_id)

    async def page(self, query: MessageQuery) -> MessagePage:
        """A page of messages, newest first."""
        return await self._store.read(read_page, query)

    async def cancel(self, account_id: int, message_id: int) -> MessageRecord:
        """End a message that no provider was given; answers it as it is then."""
        wish = Cancellation(account_id, message_id, self._clock.now_us())
        (answer,) = await self._store.write(cancel, [wish], [account_id])
        if isinstance(answer, NotCancellable):
            raise _refusal(ErrorReason.MESSAGE_NOT_CANCELLABLE, message_id, answer.state)
        return await self._after(answer, account_id, message_id)

    async def delete(self, account_id: int, message_id: int) -> MessageRecord:
        """Erase what an ended message says and to whom; answers it as it is then."""
        wish = Deletion(account_id, message_id, self._clock.now_us())
        (answer,) = await self._store.write(delete, [wish], [account_id])
        if isinstance(answer, NotEnded):
            raise _refusal(ErrorReason.MESSAGE_NOT_ENDED, message_id, answer.state)
        return await self._after(answer, account_id, message_id)

    async def mark(self, account_id: int, message_id: int, *, read: bool) -> MessageRecord:
        """Mark a message that came in read or unread; answers it as it is then."""
        wish = Mark(account_id, message_id, read, self._clock.now_us())
        (answer,) = await self._store.write(mark, [wish], [account_id])
        if isinstance(answer, NotMarkable):
            raise BrokerError(ErrorReason.MESSAGE_NOT_INBOUND, metadata={"message_id": format_id(message_id)})
        return await self._after(answer, account_id, message_id)

    async def _after(self, answer: object, account_id: int, message_id: int) -> MessageRecord:
        found = None if isinstance(answer, NoSuchMessage) else await self.message(account_id, message_id)
        if found is None:
            raise BrokerError(ErrorReason.MESSAGE_NOT_FOUND)
        return found[0]


def status_of(state: State) -> str:
    """A state in the word that clients know."""
    return state.name.removesuffix("_FINAL")


def _refusal(reason: ErrorReason, message_id: int, state: State) -> BrokerError:
    shown = status_of(state)
    metadata = {"message_id": format_id(message_id), "status": shown}
    return BrokerError(reason, f"the message is {shown}: {reason.value}", metadata=metadata)
