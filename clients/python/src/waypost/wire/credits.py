"""Credit and prices, to and from protobuf."""

from collections.abc import Sequence

from waypost.credits import Balance, PriceRule, PriceTable, Purchase
from waypost.v1 import account_service_pb2 as pb
from waypost.v1 import price_pb2, price_service_pb2
from waypost.wire.times import time_of
from waypost.wire.words import CHANNELS, PRICED_ITEMS


def balance_of(balance: pb.Balance) -> Balance:
    """What an account has."""
    return Balance(
        amount_micros=balance.amount_micros,
        held_micros=balance.held_micros,
        spent_micros=balance.spent_micros,
        currency=balance.currency,
    )


def purchase_of(answer: pb.PurchaseCreditsResponse) -> Purchase:
    """What was bought."""
    return Purchase(
        purchase_id=answer.purchase_id,
        payment_reference=answer.payment_reference,
        balance=balance_of(answer.balance),
    )


def rule_message(rule: PriceRule) -> price_service_pb2.PriceRule:
    """A price."""
    return price_service_pb2.PriceRule(
        provider=rule.provider,
        channels=map(CHANNELS.number, rule.channels),
        prefixes=rule.prefixes,
        countries=rule.countries,
        price=price_pb2.Price(amount_micros=rule.amount_micros),
        item=PRICED_ITEMS.number(rule.item),
    )


def rule_of(rule: price_service_pb2.PriceRule) -> PriceRule:
    """A price."""
    return PriceRule(
        amount_micros=rule.price.amount_micros,
        item=PRICED_ITEMS.optional(rule.item),
        provider=rule.provider,
        channels=tuple(map(CHANNELS.word, rule.channels)),
        prefixes=tuple(rule.prefixes),
        countries=tuple(rule.countries),
    )


def table_of(table: price_service_pb2.PriceTable, rules: Sequence[PriceRule]) -> PriceTable:
    """A version of all prices."""
    return PriceTable(
        version=table.version,
        rules=tuple(rules),
        currency=table.currency,
        key_id=table.key_id,
        create_time=time_of(table.create_time) if table.HasField("create_time") else None,
    )
