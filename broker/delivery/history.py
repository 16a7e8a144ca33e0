"""Messages as callers look at them: one, a page, and the wish to cancel one."""

from collections.abc import Sequence

from broker.domain.ids import format_id
from broker.domain.records import MessageRecord, TimelineRecord
from broker.errors import BrokerError, ErrorReason
from broker.spi import Clock
from broker.storage.history import (
    Cancellation,
    MessagePage,
    MessageQuery,
    NoSuchMessage,
    NotCancellable,
    cancel,
    read_message,
    read_page,
)
from broker.storage.store import Store

__all__ = ["History", "MessagePage", "MessageQuery"]


class History:
    """Reads of stored messages, and cancelling."""

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
            shown = answer.state.name.removesuffix("_FINAL")
            raise BrokerError(
                ErrorReason.MESSAGE_NOT_CANCELLABLE,
                f"the message is {shown}: {ErrorReason.MESSAGE_NOT_CANCELLABLE.value}",
                metadata={"message_id": format_id(message_id), "status": shown},
            )
        found = None if isinstance(answer, NoSuchMessage) else await self.message(account_id, message_id)
        if found is None:
            raise BrokerError(ErrorReason.MESSAGE_NOT_FOUND)
        return found[0]
