"""Payments that take no money: the token says what becomes of each."""

from pydantic import BaseModel, ConfigDict

from broker.spi import Declined, Paid, PaymentOrder, PaymentsBackend

DECLINED = "declined"
LOST = "lost"


class SandboxPaymentsSettings(BaseModel):
    """`[payments]` with type = "sandbox" takes nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SandboxPayments(PaymentsBackend):
    """A token that begins with "declined" is declined, one that begins with "lost" never gets an answer.

    Every other one is paid. The same purchase gets the same answer, without memory.
    """

    def __init__(self, settings: SandboxPaymentsSettings) -> None:
        del settings

    async def pay(self, order: PaymentOrder) -> Paid | Declined:
        """What the token says."""
        if order.token.startswith(DECLINED):
            return Declined("card_declined", "the sandbox declines tokens that begin with 'declined'")
        if order.token.startswith(LOST):
            raise ConnectionError("the sandbox loses the answers of tokens that begin with 'lost'")
        return Paid(f"sandbox-{order.purchase_id}")
