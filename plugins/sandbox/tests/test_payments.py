"""The sandbox's payments: the token says what becomes of each, without memory."""

import pytest
from pydantic import ValidationError

from broker.spi import Declined, Paid, PaymentOrder
from waypost_sandbox import waypost_payments
from waypost_sandbox.payments import SandboxPayments, SandboxPaymentsSettings


def order(token: str) -> PaymentOrder:
    """An order that is paid for with a token."""
    return PaymentOrder("0000000000007", "0000000000001", 5_000_000, "USD", token)


async def test_tokens_are_paid() -> None:
    """Twice is the same."""
    (offered,) = waypost_payments()
    payments = offered.create(offered.settings())
    assert (
        Paid("sandbox-0000000000007") == await payments.pay(order("tok")) == await payments.pay(order("tok"))
    )


async def test_some_tokens_are_declined_and_some_get_no_answer() -> None:
    """By how they begin."""
    payments = SandboxPayments(SandboxPaymentsSettings())
    declined = await payments.pay(order("declined-1"))
    assert isinstance(declined, Declined)
    assert "card_declined" == declined.code
    with pytest.raises(ConnectionError):
        await payments.pay(order("lost-1"))


def test_there_is_nothing_to_set() -> None:
    """A misspelt setting is refused."""
    with pytest.raises(ValidationError):
        SandboxPaymentsSettings.model_validate({"key": 1})
