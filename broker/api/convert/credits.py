"""Credit between protobuf and the domain."""

import re

from broker.api.convert.findings import Findings
from broker.delivery.credits import Balance
from waypost.v1 import account_service_pb2 as pb

MICROS_MAX = 1_000_000_000_000
REQUEST_ID_CHARACTERS_MAX = 128
TOKEN_CHARACTERS_MAX = 512

_CARD = re.compile(r"(?:[0-9][ -]?){12,18}[0-9]")


def balance_message(balance: Balance, currency: str) -> pb.Balance:
    """What an account has; one that never had credit has none of the broker's currency."""
    return pb.Balance(
        amount_micros=balance.available,
        held_micros=balance.held,
        spent_micros=balance.spent,
        currency=balance.currency or currency,
    )


def check_purchase(request: pb.PurchaseCreditsRequest, currency: str, micros_min: int) -> None:
    """Raise BrokerError with every rule that a purchase breaks."""
    findings = Findings()
    _request_id(request.request_id, findings)
    _amount(request.amount_micros, micros_min, findings)
    _currency(request.currency, currency, findings)
    token = request.payment_token
    if not token:
        findings.broke("payment_token", "must not be empty")
    elif _CARD.fullmatch(token.strip()) and _luhn(token):
        findings.broke("payment_token", "is a card number, which must never come here; it is not kept")
    else:
        findings.line("payment_token", token, TOKEN_CHARACTERS_MAX)
    findings.refuse()


def check_transfer(request: pb.TransferCreditsRequest, currency: str) -> None:
    """Raise BrokerError with every rule that a transfer breaks."""
    findings = Findings()
    _request_id(request.request_id, findings)
    _amount(request.amount_micros, 1, findings)
    _currency(request.currency, currency, findings)
    if not request.to_account_id:
        findings.broke("to_account_id", "must not be empty")
    findings.refuse()


def check_apart(account_id: int, other_account_id: int) -> None:
    """Raise BrokerError where a transfer leads nowhere."""
    findings = Findings()
    if account_id == other_account_id:
        findings.broke("to_account_id", "is the account that the credit comes from")
    findings.refuse()


def _request_id(request_id: str, findings: Findings) -> None:
    if not request_id:
        findings.broke("request_id", "must not be empty: it is what makes a repeated call harmless")
    findings.line("request_id", request_id, REQUEST_ID_CHARACTERS_MAX)


def _amount(micros: int, least: int, findings: Findings) -> None:
    if not least <= micros <= MICROS_MAX:
        findings.broke("amount_micros", f"must be from {least:,} to {MICROS_MAX:,}")


def _currency(given: str, currency: str, findings: Findings) -> None:
    if given not in {"", currency}:
        findings.broke("currency", f"must be {currency}, the broker's, or empty")


def _luhn(text: str) -> bool:
    """Whether digits end in the check digit of a card number."""
    digits = [int(each) for each in reversed(text) if each.isdigit()]
    doubled = [2 * each - 9 * (each > 4) for each in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
