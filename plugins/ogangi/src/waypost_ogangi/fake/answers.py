"""Answers as Ogangi prints them: elements side by side, without a root."""

from collections.abc import Callable

from broker.testing.upstream import Answer

OK, ERROR = "OK", "ERROR"

Operation = Callable[[dict[str, str], dict[str, bytes]], Answer]
"""What answers a call: the parameters of its path, and what was posted, by name."""


def completed(operation: str, result: str = "") -> Answer:
    """An answer that all went well."""
    whole = f" <result>{result}</result>" if result else ""
    return _answer(operation, OK, "Completed", whole, 200)


def failed(operation: str, why: str, status: int = 200) -> Answer:
    """An answer of the fake's own that it did not: the document prints none."""
    return _answer(operation, ERROR, why, "", status)


def _answer(operation: str, status: str, description: str, result: str, http_status: int) -> Answer:
    name = operation.rpartition("/")[2]
    text = f"<input>{name}</input> <status>{status}</status> <description>{description}</description>{result}"
    return Answer.of_text(text, http_status, "application/xml; charset=utf-8")
