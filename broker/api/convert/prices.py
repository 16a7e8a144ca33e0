"""Prices between protobuf and the domain."""

from collections.abc import Iterable, Sequence

from broker.api.convert.findings import Findings
from broker.api.convert.times import timestamp
from broker.api.convert.words import CHANNELS, PB_CHANNELS, PB_PRICED_ITEMS, PRICED_ITEMS
from broker.delivery.prices import StoredPrices
from broker.domain.ids import format_id
from broker.domain.price import Price, PricedItem
from broker.domain.prices import RULES_MAX, PriceRule, normal_rule
from waypost.v1 import price_pb2, price_service_pb2


def price_rules_of(
    rules: Sequence[price_service_pb2.PriceRule], currency: str, findings: Findings
) -> tuple[PriceRule, ...]:
    """The table of a request. What no rule can say is in `findings`; the rules between rules are not checked."""
    if not findings.count("prices", len(rules), RULES_MAX):
        return ()
    return tuple(_rule(f"prices[{index}]", each, currency, findings) for index, each in enumerate(rules))


def _rule(path: str, rule: price_service_pb2.PriceRule, currency: str, findings: Findings) -> PriceRule:
    if not rule.HasField("price"):
        findings.broke(f"{path}.price", "must be there; an amount of 0 is free")
    elif rule.price.currency not in {"", currency}:
        findings.broke(f"{path}.price.currency", f"must be {currency}, the broker's, or empty")
    words = [
        findings.word(f"{path}.channels[{index}]", number, CHANNELS)
        for index, number in enumerate(rule.channels)
    ]
    return normal_rule(
        PriceRule(
            amount_micros=rule.price.amount_micros,
            provider=rule.provider,
            channels=tuple(word for word in words if word is not None),
            prefixes=tuple(rule.prefixes),
            countries=tuple(rule.countries),
            item=findings.word(f"{path}.item", rule.item, PRICED_ITEMS) or PricedItem.MESSAGE_UNIT,
        )
    )


def price_rule_messages(rules: Iterable[PriceRule], currency: str) -> list[price_service_pb2.PriceRule]:
    """Rules as they are listed."""
    return [
        price_service_pb2.PriceRule(
            provider=rule.provider,
            channels=[PB_CHANNELS[each] for each in rule.channels],
            prefixes=rule.prefixes,
            countries=rule.countries,
            price=price_pb2.Price(amount_micros=rule.amount_micros, currency=currency),
            item=PB_PRICED_ITEMS[rule.item],
        )
        for rule in rules
    ]


def price_table_message(stored: StoredPrices, currency: str) -> price_service_pb2.PriceTable:
    """What is known about a version."""
    return price_service_pb2.PriceTable(
        version=stored.table.version,
        create_time=timestamp(stored.created_at_us) if stored.table.version else None,
        rule_count=len(stored.table.rules),
        currency=currency,
        key_id=format_id(stored.key_id) if stored.key_id else "",
    )


def price_message(price: Price | None) -> price_pb2.Price | None:
    """An amount, absent where there is none."""
    return None if price is None else price_pb2.Price(amount_micros=price.micros, currency=price.currency)
