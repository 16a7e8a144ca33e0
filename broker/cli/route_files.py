"""Routes as TOML: `[[routes]]` tables as in the settings, and back."""

import json
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from broker.cli.failures import UsageError
from broker.cli.options import ChannelName, TrafficName
from broker.cli.wording import word_of
from waypost.v1 import channel_pb2, route_pb2

_WORDS = {
    "channels": ("CHANNEL_", frozenset(ChannelName)),
    "traffic": ("TRAFFIC_", frozenset(TrafficName)),
}


def read_routes_file(path: Path) -> list[route_pb2.Route]:
    """The routes of a file that holds nothing else. Raises UsageError for what is not TOML or no route."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    if others := document.keys() - {"routes"}:
        raise UsageError(f"{path}: only [[routes]] belong here, not {', '.join(sorted(others))}")
    tables = document.get("routes", [])
    if not isinstance(tables, list):
        raise UsageError(f"{path}: write each route as [[routes]], with two brackets")
    return [_route(f"{path}: routes[{index}]", table) for index, table in enumerate(tables)]


def _route(where: str, table: object) -> route_pb2.Route:
    if not isinstance(table, Mapping):
        raise UsageError(f"{where} is no table")
    fields = dict(table)
    for field, (prefix, words) in _WORDS.items():
        if field in fields:
            fields[field] = [prefix + _word(f"{where}.{field}", each, words) for each in _list(fields[field])]
    try:
        return ParseDict(fields, route_pb2.Route())
    except ParseError as error:
        raise UsageError(f"{where}: {error}") from None


def _list(given: object) -> Sequence[object]:
    return given if isinstance(given, list) else [given]


def _word(where: str, given: object, words: Collection[str]) -> str:
    if not isinstance(given, str) or given not in words:
        raise UsageError(f"{where}: {given!r} is not one of {', '.join(sorted(words))}")
    return given.upper()


def routes_as_toml(routes: Iterable[route_pb2.Route]) -> str:
    """The same as a file would say it, without what is left open."""
    return "\n".join("\n".join(["[[routes]]", *_lines(route), ""]) for route in routes)


def _lines(route: route_pb2.Route) -> list[str]:
    fields: dict[str, Any] = {field.name: value for field, value in route.ListFields()}
    for field, enum in (("channels", channel_pb2.Channel), ("traffic", channel_pb2.Traffic)):
        if field in fields:
            fields[field] = [word_of(enum.DESCRIPTOR, each).lower() for each in fields[field]]
    return [f"{name} = {_value(value)}" for name, value in fields.items()]


def _value(value: Any) -> str:
    """As TOML, which writes strings, numbers and lists of them as JSON does."""
    if isinstance(value, str | int):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(list(value), ensure_ascii=False)
