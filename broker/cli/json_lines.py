"""Output for programs: one JSON object a line, with the protos' own field names."""

import json
from collections.abc import Mapping

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from broker.cli.sending import Answer


def print_line(line: Mapping[str, object]) -> None:
    """Print one object at once, so that a program that reads along sees it."""
    print(json.dumps(line, ensure_ascii=False, separators=(",", ":")), flush=True)


def fields_of(message: Message) -> dict[str, object]:
    """A message in protobuf's JSON form; fields that are not set are left out."""
    return MessageToDict(message, preserving_proto_field_name=True)


def answer_line(answer: Answer) -> dict[str, object]:
    """{"result": {…}} or {"error": {…}}; recipient_index counts the recipients of the whole command."""
    if answer.result is not None:
        return {"result": {**fields_of(answer.result), "recipient_index": answer.row}}
    assert answer.error is not None
    return {"error": {**fields_of(answer.error), "recipient_index": answer.row}}
