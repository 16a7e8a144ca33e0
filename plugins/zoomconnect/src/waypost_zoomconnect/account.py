"""The account at ZoomConnect: its credit, and its statistics report."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from broker import spi
from waypost_zoomconnect.exchange import Answer, Call, fields
from waypost_zoomconnect.settings import ZoomConnectSettings

BALANCE = Call("GET", "account/balance")
DAY = "%d-%m-%Y"
COUNTS = ("total", "sent", "delivered", "failed", "failedRefunded", "failedOptout")
CREDITS_MAX = 10**12


class UnreadableAnswer(Exception):
    """ZoomConnect answered something else than what it was asked for."""


def balance(answer: Answer) -> spi.UpstreamBalance:
    """Its credits, which are no currency. Raises UnreadableAnswer."""
    credit = _number(fields(answer.document).get("creditBalance")) if answer.ok else None
    if credit is None:
        raise UnreadableAnswer(answer.code)
    return spi.UpstreamBalance(round(credit * 1_000_000))


def statistics_call(first: date, last: date, settings: ZoomConnectSettings) -> Call:
    """The report of these days, of all users of the team or of one."""
    told = {
        "from": first.strftime(DAY),
        "to": last.strftime(DAY),
        "includeRefundedAndOptout": _flag(settings.refunded_and_optout),
        "calculateCreditValue": _flag(settings.statistics == "credits"),
    }
    if settings.statistics_user:
        told["userEmailAddress"] = settings.statistics_user
    return Call("GET", "account/statistics", told)


def statistics(answer: Answer, settings: ZoomConnectSettings) -> Sequence[spi.UpstreamUsage]:
    """Its counts, in ZoomConnect's words; credits have fractions and are told in thousandths of a credit.

    Raises UnreadableAnswer, also where the report counts the other thing than was asked for.
    """
    report = fields(answer.document) if answer.ok else {}
    in_credits = settings.statistics == "credits"
    total = report.get("grandTotal")
    if not isinstance(total, dict) or report.get("showingCreditValue", in_credits) is not in_credits:
        raise UnreadableAnswer(answer.code)
    scale, suffix = (1_000, "_millicredits") if in_credits else (1, "")
    told = {name: _number(total.get(name)) for name in COUNTS}
    return [
        spi.UpstreamUsage(f"{name}{suffix}", round(count * scale))
        for name, count in told.items()
        if count is not None
    ]


def _number(found: object) -> Decimal | None:
    """A number of bounded size; None where there is none."""
    if isinstance(found, bool) or not isinstance(found, int | Decimal):
        return None
    number = Decimal(found)
    return number if number.is_finite() and abs(number) <= CREDITS_MAX else None


def _flag(value: bool) -> str:
    return "true" if value else "false"
