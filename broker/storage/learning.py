"""What providers tell of recipients' wishes, with the message and the provider's own words as evidence."""

from collections.abc import Sequence

from broker.domain.consent import ConsentChange, ConsentSource, opt_out_told
from broker.domain.outcome import Outcome, Receipt, Rejected
from broker.spi import OutboundMessage
from broker.storage.agenda import DueRow
from broker.storage.transaction import Transaction


def told_by_answer(
    answer: Outcome | Receipt, row: DueRow, message: OutboundMessage, now_us: int
) -> list[ConsentChange]:
    """The wish that a provider's answer about a message tells of; none or one."""
    if not isinstance(answer, Rejected | Receipt) or answer.reason is None:
        return []
    change = opt_out_told(
        answer.reason,
        row.account_id,
        message.sender,
        message.recipient,
        source=ConsentSource.RECEIPT if isinstance(answer, Receipt) else ConsentSource.PROVIDER_ANSWER,
        provider=row.provider,
        message_id=row.message_id,
        code=answer.code,
        text=answer.text,
        at_us=now_us,
    )
    return [] if change is None else [change]


TellingReceipt = tuple[int, int, str, Receipt]
"""The message, the way that it went, the provider, and the receipt."""


def told_by_receipts(tx: Transaction, receipts: Sequence[TellingReceipt], now_us: int) -> list[ConsentChange]:
    """The wishes that receipts tell of; their accounts are held."""
    telling = [each for each in receipts if each[3].reason is not None]
    if not telling:
        return []
    rows = tx.all("messages_addressed", message_ids=[each[0] for each in telling])
    addressed = {row[:2]: row[2:] for row in rows}
    found = [
        opt_out_told(
            receipt.reason,
            *addressed[message_id, way],
            source=ConsentSource.RECEIPT,
            provider=provider,
            message_id=message_id,
            code=receipt.code,
            text=receipt.text,
            at_us=now_us,
        )
        for message_id, way, provider, receipt in telling
        if receipt.reason is not None and (message_id, way) in addressed
    ]
    return [each for each in found if each is not None]
