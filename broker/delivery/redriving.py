"""Sending an ended message again, as a new one that points to it."""

from dataclasses import replace

from broker.delivery.history import History, status_of
from broker.delivery.intake import Intake
from broker.domain.ids import format_id
from broker.domain.records import MessageRecord
from broker.domain.validity import validity_us as validity_us_of
from broker.errors import BrokerError, ErrorReason, Violation
from broker.storage.redriving import NotRedrivable, read_redrivable
from broker.storage.store import Store


class Redriver:
    """Takes what was stored of a message back to intake, which decides about it as about any other."""

    def __init__(self, store: Store, intake: Intake, history: History) -> None:
        self._store = store
        self._intake = intake
        self._history = history

    async def redrive(
        self, account_id: int, message_id: int, request_id: str, validity_us: int | None
    ) -> MessageRecord:
        """The new message as it stands when it is stored.

        Raises BrokerError MESSAGE_NOT_FOUND, MESSAGE_NOT_REDRIVABLE, REQUEST_ID_REUSED, INVALID_REQUEST for a validity that
        lets no other channel come, and what intake raises.
        """
        found = await self._store.read(read_redrivable, account_id, message_id)
        if found is None:
            raise BrokerError(ErrorReason.MESSAGE_NOT_FOUND)
        if isinstance(found, NotRedrivable):
            shown = "DELETED" if found.deleted else status_of(found.state)
            raise BrokerError(
                ErrorReason.MESSAGE_NOT_REDRIVABLE,
                f"the message is {shown}: {ErrorReason.MESSAGE_NOT_REDRIVABLE.value}",
                metadata={"message_id": format_id(message_id), "status": shown},
            )
        again = replace(found, request_id=request_id, validity_us=validity_us)
        if again.fallback is not None and (again.fallback.after_us or 0) >= validity_us_of(again):
            rule = f"must be more than the fallback_after of the message, {again.fallback.after_us or 0:,} us"
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=[Violation("validity", rule)])
        (answer,) = await self._intake.accept((again,))
        if isinstance(answer, BrokerError):
            raise answer
        new_id = answer[0].message_id
        stored = None if new_id is None else await self._history.message(account_id, new_id)
        if stored is None:  # stored, answered, and removed since
            raise BrokerError(ErrorReason.MESSAGE_NOT_FOUND)
        return stored[0]
