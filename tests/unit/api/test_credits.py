"""Credit on the wire: whose it is, what a purchase or transfer needs, and what never comes in."""

import grpc
import pytest

from broker.api.convert.ids import account_text
from broker.errors import BrokerError, ErrorReason
from tests.unit.api.fakes import ADMIN, OTHER_ACCOUNT, OWN_ACCOUNT, READER, SENDER
from waypost.v1 import account_service_pb2 as pb

OWN, OTHER = account_text(OWN_ACCOUNT), account_text(OTHER_ACCOUNT)
BUY = {"request_id": "r", "amount_micros": 5_000_000, "payment_token": "tok_1"}
MOVE = {"request_id": "r", "to_account_id": OTHER, "amount_micros": 1}


async def bought(api, key=ADMIN, **fields):
    """The answer to a purchase, or the refusal."""
    request = pb.PurchaseCreditsRequest(**(BUY | fields))
    return await api.call("AccountService/PurchaseCredits", request, pb.PurchaseCreditsResponse, key)


async def moved(api, key=ADMIN, **fields):
    """The answer to a transfer, or the refusal."""
    request = pb.TransferCreditsRequest(**(MOVE | fields))
    return await api.call("AccountService/TransferCredits", request, pb.TransferCreditsResponse, key)


async def balance_of(api, account_id="", key=READER):
    """A balance, or the refusal."""
    request = pb.GetBalanceRequest(account_id=account_id)
    return await api.call("AccountService/GetBalance", request, pb.GetBalanceResponse, key)


async def test_a_balance_is_told_in_micros(api):
    """With the broker's currency, also of an account that never had credit."""
    expected = pb.Balance(amount_micros=7_000_000, held_micros=2, spent_micros=1, currency="EUR")
    assert expected == (await balance_of(api)).balance
    assert expected == (await balance_of(api, OTHER, ADMIN)).balance
    assert "ACCOUNT_NOT_FOUND" == (await balance_of(api, OTHER)).reason


async def test_a_purchase_reaches_the_ledger(api):
    """With its token, which is in no answer."""
    answer = await bought(api, account_id=OTHER, currency="EUR")
    assert [(OTHER_ACCOUNT, "r", 5_000_000, "tok_1")] == api.credit.calls
    assert ("ref", 5_000_000) == (answer.payment_reference, answer.balance.amount_micros)


async def test_a_decline_is_a_failed_precondition(api):
    """By its reason."""
    api.credit.failure = BrokerError(ErrorReason.PAYMENT_DECLINED)
    refusal = await bought(api)
    assert (grpc.StatusCode.FAILED_PRECONDITION, "PAYMENT_DECLINED") == (refusal.code, refusal.reason)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"request_id": ""}, "request_id"),
        ({"request_id": "x" * 129}, "request_id"),
        ({"amount_micros": 4_999_999}, "amount_micros"),
        ({"amount_micros": 10**12 + 1}, "amount_micros"),
        ({"currency": "USD"}, "currency"),
        ({"payment_token": ""}, "payment_token"),
        ({"payment_token": "x" * 513}, "payment_token"),
        ({"payment_token": "4242 4242 4242 4242"}, "payment_token"),
        ({"payment_token": "378282246310005"}, "payment_token"),
    ],
)
async def test_a_purchase_that_breaks_a_rule_reaches_nobody(api, fields, field):
    """Least of all with a card number."""
    refusal = await bought(api, **fields)
    assert (grpc.StatusCode.INVALID_ARGUMENT, [field]) == (refusal.code, list(refusal.violations))
    assert [] == api.credit.calls
    assert "4242" not in refusal.message


async def test_digits_that_are_no_card_number_are_a_token(api):
    """The check digit tells."""
    assert "ref" == (await bought(api, payment_token="4242424242424241")).payment_reference


async def test_a_transfer_reaches_the_ledger(api):
    """From the key's own account, unless it is said otherwise."""
    answer = await moved(api)
    await moved(api, from_account_id=OTHER, to_account_id=OWN, amount_micros=3)
    expected = [(OWN_ACCOUNT, OTHER_ACCOUNT, "r", 1), (OTHER_ACCOUNT, OWN_ACCOUNT, "r", 3)]
    assert expected == api.credit.calls
    assert (1, 1) == (answer.from_balance.amount_micros, answer.to_balance.amount_micros)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"request_id": ""}, "request_id"),
        ({"amount_micros": 0}, "amount_micros"),
        ({"currency": "USD"}, "currency"),
        ({"to_account_id": ""}, "to_account_id"),
        ({"to_account_id": OWN}, "to_account_id"),
    ],
)
async def test_a_transfer_that_breaks_a_rule_moves_nothing(api, fields, field):
    """With the field's name."""
    assert [field] == list((await moved(api, **fields)).violations)
    assert [] == api.credit.calls


async def test_neither_is_for_keys_that_only_send(api):
    """They would spend what is not theirs to spend."""
    assert ["ROLE_INSUFFICIENT"] * 2 == [(await call(api, key=SENDER)).reason for call in (bought, moved)]


async def test_another_account_is_as_unknown_as_none(api):
    """As the source and as the target."""
    nowhere = account_text(99)
    for fields in ({"from_account_id": nowhere}, {"to_account_id": nowhere}):
        assert "ACCOUNT_NOT_FOUND" == (await moved(api, **fields)).reason
