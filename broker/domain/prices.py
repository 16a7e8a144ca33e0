"""Prices: what a unit costs an account, by provider instance, channel and destination.

The rule that names the destination most closely wins: a longer prefix before a shorter one, any prefix before
a country, a country before none. Of those, one that names the provider before one that does not, then one that
names the channel. Where no rule fits, a message is free.

A message is priced when it is planned, for each provider that may carry it. The dearest is what it may cost at
most; the one that carries it decides what it does cost.

Autoreplies and keywords have rules of their own in the same table.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from broker.domain.country import COUNTRIES, country_of
from broker.domain.price import Price, PricedItem
from broker.domain.routes import PHONE_CHANNELS
from broker.domain.value import value
from broker.domain.vocabulary import Channel
from broker.errors import Violation

RULES_MAX = 50_000
VALUES_MAX = 1_000
"""Of each list of a rule."""

AMOUNT_MICROS_MAX = 1_000_000_000_000
REMEMBERED_MAX = 65_536
VIOLATIONS_MAX = 1_000
ANYWHERE = ""

_PREFIX = re.compile(r"[1-9][0-9]{0,14}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def is_currency(text: str) -> bool:
    """Whether a text could be an ISO 4217 code."""
    return _CURRENCY.fullmatch(text) is not None


@value
class PriceRule:
    """What a unit of `item` costs. `provider` "": through any; without channels: on any; without destinations: to any.

    `prefixes` are leading digits of E.164 without "+", `countries` ISO 3166 alpha-2 codes; either is enough.
    """

    amount_micros: int
    provider: str = ""
    channels: tuple[Channel, ...] = ()
    prefixes: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    item: PricedItem = PricedItem.MESSAGE_UNIT


@value
class PriceTable:
    """One version of all rules. Version 0 was never stored and has none."""

    version: int = 0
    rules: tuple[PriceRule, ...] = ()
    currency: str = ""


Way = tuple[Sequence[str], Channel, str, int]
"""How a message may go: the candidates, the channel, the normal address, and the units."""


Costs = Mapping[str, int | Mapping[Channel, int]]
"""What a message costs through each provider, by channel where it may carry it on several that differ."""


@value
class Quote:
    """What a message costs: at most, and through each of its candidates where that differs."""

    micros: int
    by_provider: Costs | None = None


def normal_rule(rule: PriceRule) -> PriceRule:
    """The same without a "+" before prefixes, and with countries in capitals."""
    return replace(
        rule,
        prefixes=tuple(each.removeprefix("+") for each in rule.prefixes),
        countries=tuple(each.upper() for each in rule.countries),
    )


class Prices:
    """What a table of rules says of one item, made ready for use. Nothing in it changes.

    Where none of its rules fits, those of `otherwise` may.
    """

    def __init__(
        self,
        table: PriceTable,
        item: PricedItem = PricedItem.MESSAGE_UNIT,
        otherwise: "Prices | None" = None,
    ) -> None:
        rules = [each for each in table.rules if each.item is item]
        self.version = table.version
        self.currency = table.currency
        self.free: bool = not rules and (otherwise is None or otherwise.free)
        self._otherwise = otherwise
        self._micros: dict[tuple[str, Channel | None, str], int] = {}
        for rule in rules:
            for key in _keys(rule):
                self._micros[key] = rule.amount_micros
        prefixes = {prefix for rule in rules for prefix in rule.prefixes}
        self._prefixes = prefixes
        self._lengths = sorted({len(each) for each in prefixes}, reverse=True)
        self._countries = any(rule.countries for rule in rules)
        self._of = lru_cache(maxsize=REMEMBERED_MAX)(self._find)

    def unit_micros(self, provider: str, channel: Channel, address: str) -> int | None:
        """What a unit to a normal address costs; None where no rule fits."""
        prefix = country = ""
        if channel in PHONE_CHANNELS:
            prefix = self._longest_prefix(address)
            country = country_of(address) if self._countries else ""
        micros = self._of(provider, channel, prefix, country)
        if micros is None and self._otherwise is not None:
            return self._otherwise.unit_micros(provider, channel, address)
        return micros

    def quote(self, *ways: Way) -> Quote | None:
        """What a message costs through the providers that may carry it; None where no rule fits any."""
        costs: dict[str, int] = {}
        priced = False
        for candidates, channel, address, units in ways:
            for name in candidates:
                unit = self.unit_micros(name, channel, address)
                priced = priced or unit is not None
                cost = units * (unit or 0)
                if name in costs and costs[name] != cost:
                    return self._quote_by_channel(ways)
                costs[name] = cost
        if not priced:
            return None
        most = max(costs.values())
        return Quote(most, None if min(costs.values()) == most else costs)

    def _quote_by_channel(self, ways: Sequence[Way]) -> Quote:
        """The same where a provider may carry a message on channels that cost something else."""
        costs: dict[str, dict[Channel, int]] = {}
        for candidates, channel, address, units in ways:
            for name in candidates:
                unit = self.unit_micros(name, channel, address) or 0
                costs.setdefault(name, {})[channel] = units * unit
        alike = {
            name: next(iter(each.values())) for name, each in costs.items() if len({*each.values()}) == 1
        }
        return Quote(max(max(each.values()) for each in costs.values()), {**costs, **alike})

    def _longest_prefix(self, address: str) -> str:
        for length in self._lengths:
            prefix = address[1 : length + 1]
            if prefix in self._prefixes:
                return prefix
        return ""

    def _find(self, provider: str, channel: Channel, prefix: str, country: str) -> int | None:
        shorter = [prefix[:length] for length in range(len(prefix), 0, -1)]
        for place in (*shorter, country, ANYWHERE) if country else (*shorter, ANYWHERE):
            for key in ((provider, channel), (provider, None), ("", channel), ("", None)):
                micros = self._micros.get((*key, place))
                if micros is not None:
                    return micros
        return None


FREE = Prices(PriceTable())


class PriceList:
    """A whole table, made ready for use."""

    def __init__(self, table: PriceTable) -> None:
        self.version = table.version
        self.messages = Prices(table)
        self._others: Mapping[PricedItem | None, Prices] = {
            PricedItem.AUTOREPLY: Prices(table, PricedItem.AUTOREPLY, self.messages),
            PricedItem.KEYWORD: Prices(table, PricedItem.KEYWORD),
        }

    def of(self, item: PricedItem | None) -> Prices:
        """The prices of an item; of None, which is free of charge."""
        if item is PricedItem.MESSAGE_UNIT:
            return self.messages
        return self._others.get(item, FREE)


NO_PRICES = PriceList(PriceTable())


def keyword_price(prices: PriceList, address: str) -> Price | None:
    """What it costs to rent a keyword at an address; None where that is free. A short code is of no country."""
    place = address if address.startswith("+") else "+"
    found = price_of(prices.of(PricedItem.KEYWORD), "", Channel.SMS, place, 1)
    return found if found is not None and found.micros else None


def price_of(prices: Prices, provider: str, channel: Channel, address: str, units: int) -> Price | None:
    """What a message costs through a provider; None where no rule fits."""
    unit = prices.unit_micros(provider, channel, address)
    return None if unit is None else Price(units * unit, prices.currency)


def _keys(rule: PriceRule) -> list[tuple[str, Channel | None, str]]:
    """What a rule names, each in one key: prefixes are digits and countries are letters."""
    places = (*rule.prefixes, *rule.countries) or (ANYWHERE,)
    return [(rule.provider, channel, place) for channel in rule.channels or (None,) for place in places]


def price_violations(
    rules: Sequence[PriceRule], serving: Mapping[str, Collection[Channel]]
) -> list[Violation]:
    """Every rule that normal price rules break. `serving` has the channels of each provider instance."""
    if len(rules) > RULES_MAX:
        return [Violation("prices", f"has {len(rules):,} entries; at most {RULES_MAX:,} are allowed")]
    found: list[Violation] = []
    first: dict[tuple[PricedItem, tuple[str, Channel | None, str]], int] = {}
    for index, rule in enumerate(rules):
        path = f"prices[{index}]"
        broken = _broken(rule, serving)
        found += [Violation(f"{path}.{field}", problem) for field, problem in broken]
        if not broken:
            taken = {first.setdefault((rule.item, key), index) for key in _keys(rule)} - {index}
            if taken:
                found.append(Violation(path, f"says what something costs that prices[{min(taken)}] says too"))
        if len(found) >= VIOLATIONS_MAX:
            break
    return found


def _broken(rule: PriceRule, serving: Mapping[str, Collection[Channel]]) -> list[tuple[str, str]]:
    broken = []
    if not 0 <= rule.amount_micros <= AMOUNT_MICROS_MAX:
        broken.append(("price.amount_micros", f"must be from 0 to {AMOUNT_MICROS_MAX:,}"))
    if rule.item is PricedItem.KEYWORD:
        no_keyword = "must be empty for keywords: their price is the same through all"
        broken += [(field, no_keyword) for field in ("provider", "channels") if getattr(rule, field)]
    if rule.provider and rule.provider not in serving:
        broken.append(("provider", f"no provider instance is named {rule.provider!r}"))
    if rule.channels and (rule.prefixes or rule.countries) and PHONE_CHANNELS.isdisjoint(rule.channels):
        field = "prefixes" if rule.prefixes else "countries"
        broken.append((field, "only SMS and MMS go to numbers, and channels has neither"))
    for field in ("channels", "prefixes", "countries"):
        broken += _values(field, getattr(rule, field))
    return broken


def _values(field: str, values: Sequence[object]) -> list[tuple[str, str]]:
    if len(values) > VALUES_MAX:
        return [(field, f"has {len(values):,} entries; at most {VALUES_MAX:,} are allowed")]
    broken = []
    for index, each in enumerate(values):
        path = f"{field}[{index}]"
        if field == "prefixes" and not _PREFIX.fullmatch(str(each)):
            broken.append((path, "must be 1 to 15 digits of E.164, the country code first"))
        elif field == "countries" and each not in COUNTRIES:
            broken.append((path, 'must be an ISO 3166 alpha-2 code, as "GB"'))
        elif each in values[:index]:
            broken.append((path, "is there twice"))
    return broken
