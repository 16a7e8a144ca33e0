"""Prices as TOML: `[[prices]]` tables with an amount of one unit, and back."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from google.protobuf.json_format import ParseDict, ParseError

from broker.cli.amounts import micros_of
from broker.cli.failures import UsageError
from broker.cli.options import ChannelName
from broker.cli.wording import word_of
from waypost.v1 import channel_pb2, price_service_pb2

_FIELDS = ("item", "provider", "channels", "prefixes", "countries", "amount")
_ITEMS = {"autoreply": "PRICED_ITEM_AUTOREPLY", "keyword": "PRICED_ITEM_KEYWORD"}


def read_prices_file(path: Path) -> list[price_service_pb2.PriceRule]:
    """The rules of a file that holds nothing else. Raises UsageError for what is not TOML or no rule."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    tables = document.pop("prices", [])
    if document:
        raise UsageError(f"{path}: only [[prices]] belong here, not {', '.join(sorted(document))}")
    if not isinstance(tables, list):
        raise UsageError(f"{path}: write each price as [[prices]], with two brackets")
    return [_rule(f"{path}: prices[{index}]", table) for index, table in enumerate(tables)]


def _rule(where: str, table: object) -> price_service_pb2.PriceRule:
    if not isinstance(table, Mapping):
        raise UsageError(f"{where} is no table")
    if unknown := table.keys() - set(_FIELDS):
        raise UsageError(f"{where}: {', '.join(sorted(unknown))}: not one of {', '.join(_FIELDS)}")
    if "amount" not in table:
        raise UsageError(f"{where} has no amount; 0 is free")
    fields = {name: given for name, given in table.items() if name != "amount"}
    channels = fields.get("channels", [])
    if not isinstance(channels, list) or not all(each in frozenset(ChannelName) for each in channels):
        raise UsageError(f"{where}.channels: a list of {', '.join(ChannelName)}")
    fields["channels"] = [f"CHANNEL_{each.upper()}" for each in channels]
    if "item" in fields:
        if fields["item"] not in _ITEMS:
            raise UsageError(f"{where}.item: one of {', '.join(_ITEMS)}, or left out for messages")
        fields["item"] = _ITEMS[fields["item"]]
    micros = micros_of(f"{where}.amount", str(table["amount"]))
    try:
        return ParseDict({**fields, "price": {"amount_micros": str(micros)}}, price_service_pb2.PriceRule())
    except ParseError as error:
        raise UsageError(f"{where}: {error}") from None


def prices_as_toml(rules: Iterable[price_service_pb2.PriceRule]) -> str:
    """The same as a file would say it, without what is left open."""
    return "\n".join("\n".join(["[[prices]]", *_lines(rule), ""]) for rule in rules)


def item_word(rule: price_service_pb2.PriceRule) -> str:
    """What a rule is the price of; empty for messages."""
    return word_of(price_service_pb2.PricedItem.DESCRIPTOR, rule.item).lower() if rule.item else ""


def _lines(rule: price_service_pb2.PriceRule) -> list[str]:
    channels = [word_of(channel_pb2.Channel.DESCRIPTOR, each).lower() for each in rule.channels]
    whole, rest = divmod(rule.price.amount_micros, 1_000_000)
    fields = {
        "item": item_word(rule),
        "provider": rule.provider,
        "channels": channels,
        "prefixes": list(rule.prefixes),
        "countries": list(rule.countries),
        "amount": f"{whole}.{rest:06}",
    }
    return [f"{name} = {json.dumps(given, ensure_ascii=False)}" for name, given in fields.items() if given]
