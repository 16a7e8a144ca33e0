"""Collects every rule that a request breaks, so that a caller learns of all of them at once."""

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from broker.api.convert.times import US_PER_S, span_us_of, time_us_of
from broker.api.convert.words import names_of
from broker.domain.header import unsafe_header
from broker.domain.saying import CONTROL
from broker.errors import BrokerError, ErrorReason, Violation

Word = TypeVar("Word", bound=IntEnum)

_URL = re.compile(r"https?://[^\s/?#\x00-\x1f\x7f]+(?:[/?#][^\s\x00-\x1f\x7f]*)?", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(?:;[ -~]{0,255})?")

URL_CHARACTERS_MAX = 2_048


class Findings:
    """What is wrong with one request.

    A method that takes a value checks it and, where it also converts, answers None for a value that
    broke a rule: the caller goes on, and `refuse` ends the request.
    """

    __slots__ = ("violations",)

    def __init__(self) -> None:
        self.violations: list[Violation] = []

    def broke(self, field: str, rule: str) -> None:
        """A field broke a rule."""
        self.violations.append(Violation(field, rule))

    def refuse(self) -> None:
        """Raise when anything was found."""
        if self.violations:
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=self.violations)

    def text(self, field: str, value: str, characters_max: int) -> None:
        """A text of any lines: bounded, and without NUL, which no store can keep."""
        if len(value) > characters_max:
            self.broke(field, f"has {len(value)} characters; at most {characters_max} are allowed")
        if "\0" in value:
            self.broke(field, "must not contain the NUL character (U+0000)")

    def line(self, field: str, value: str, characters_max: int) -> None:
        """A text of one line: bounded, and without control characters, which forge lines and headers."""
        if len(value) > characters_max:
            self.broke(field, f"has {len(value)} characters; at most {characters_max} are allowed")
        elif not value.isprintable() and CONTROL.search(value):
            self.broke(field, "must not contain control characters")

    def header(self, field: str, value: str, characters_max: int) -> None:
        """A line that becomes a header of an email: it holds no other, not even in disguise."""
        self.line(field, value, characters_max)
        if problem := unsafe_header(value):
            self.broke(field, problem)

    def count(self, field: str, count: int, count_max: int) -> bool:
        """How many values a repeated field may have; whether it is worth looking at each of them."""
        if count > count_max:
            self.broke(field, f"has {count} entries; at most {count_max} are allowed")
        return count <= count_max

    def secure_url(self, field: str, value: str) -> None:
        """An https address."""
        self.url(field, value)
        if not value[:8].lower().startswith("https://"):
            self.broke(field, "must be an https URL")

    def url(self, field: str, value: str) -> None:
        """An http or https address."""
        if len(value) > URL_CHARACTERS_MAX:
            self.broke(field, f"has {len(value)} characters; at most {URL_CHARACTERS_MAX} are allowed")
        elif not _URL.fullmatch(value):
            self.broke(field, "must be an http or https URL")

    def media_type(self, field: str, value: str) -> None:
        """An IANA media type."""
        if not _MEDIA_TYPE.fullmatch(value):
            self.broke(field, 'must be an IANA media type, as "image/png"')

    def word(self, field: str, number: int, words: Mapping[int, Word]) -> Word | None:
        """An enumeration's word."""
        word = words.get(number)
        if word is None:
            self.broke(field, f"{number} is not one of {names_of(words)}")
        return word

    def time(self, field: str, value: Timestamp) -> int | None:
        """A time in microseconds."""
        time_us = time_us_of(value)
        if time_us is None:
            self.broke(field, "must be a time from year 1 to 9999 with nanos from 0 to 999,999,999")
        return time_us

    def span(self, field: str, value: Duration, *, s_min: int, s_max: int) -> int | None:
        """A span in microseconds, within limits in seconds."""
        span_us = span_us_of(value)
        if span_us is None or not s_min * US_PER_S <= span_us <= s_max * US_PER_S:
            self.broke(field, f"must be from {s_min:,} s to {s_max:,} s")
            return None
        return span_us
