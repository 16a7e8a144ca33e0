"""Templates as files: TOML for people, or the JSON that `waypost templates show --json` prints."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from broker.cli.failures import UsageError
from waypost.v1 import template_pb2

_TYPE_PREFIX = "TEMPLATE_PARAMETER_TYPE_"
SET_BY_THE_BROKER = ("account_id", "version", "latest_version", "create_time", "update_time")


def read_template_file(path: Path) -> template_pb2.Template:
    """The template of a file, without what the broker sets. Raises UsageError for what is none."""
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path}: is no template")
    fields = document.get("template", document)
    if not isinstance(fields, dict):
        raise UsageError(f"{path}: is no template")
    return _template(str(path), fields)


def _template(where: str, given: Mapping[str, Any]) -> template_pb2.Template:
    fields = {name: each for name, each in given.items() if name not in SET_BY_THE_BROKER}
    parameters = fields.get("parameters", [])
    if not isinstance(parameters, list) or not all(isinstance(each, dict) for each in parameters):
        raise UsageError(f"{where}: write each parameter as [[parameters]]")
    fields["parameters"] = [_parameter(each) for each in parameters]
    try:
        return ParseDict(fields, template_pb2.Template())
    except ParseError as error:
        raise UsageError(f"{where}: {error}") from None


def _parameter(given: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter whose type may be written as "number"."""
    kind = given.get("type")
    if not isinstance(kind, str) or kind.startswith(_TYPE_PREFIX):
        return dict(given)
    return {**given, "type": _TYPE_PREFIX + kind.upper()}
