"""Which routes of a table fit a message, found without looking at all of them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from broker.domain.country import country_of
from broker.domain.routes import PHONE_CHANNELS, Route
from broker.domain.submission import Submission
from broker.domain.vocabulary import Channel, Traffic

PREFIX_RANK = 2
COUNTRY_RANK = 1
Specificity = tuple[int, int]
"""How closely a route names a destination: its rank, and of prefixes the digits. The highest wins."""

ANYWHERE: Specificity = (0, 0)


class Question(NamedTuple):
    """What routes ask of a message, cut down to values that some route names, so that many share it.

    `prefix` is the longest one of any route that the number begins with.
    """

    channel: Channel
    prefix: str
    country: str
    sender: str
    account_id: int
    tags: frozenset[str]
    traffic: Traffic | None


class RouteIndex:
    """Routes by channel and destination."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._senders = {each for route in routes for each in route.senders}
        self._accounts = {each for route in routes for each in route.account_ids}
        self._tags = frozenset(each for route in routes for each in route.tags)
        self._traffic = any(route.traffic for route in routes)
        self._countries = {each for route in routes for each in route.countries}
        self._prefixes = {each for route in routes for each in route.prefixes}
        self._lengths = sorted({len(each) for each in self._prefixes}, reverse=True)
        self._by_channel = {channel: _Destinations(routes, channel) for channel in Channel}

    def question(self, submission: Submission, channel: Channel, address: str) -> Question:
        """What the routes have to know about a message to a normal address."""
        prefix = country = ""
        if channel in PHONE_CHANNELS:
            prefix = self._longest_prefix(address)
            if self._countries:
                found = country_of(address)
                country = found if found in self._countries else ""
        return Question(
            channel,
            prefix,
            country,
            submission.sender if submission.sender in self._senders else "",
            submission.account_id if submission.account_id in self._accounts else 0,
            self._tags.intersection(submission.tags) if self._tags else _NO_TAGS,
            submission.traffic if self._traffic else None,
        )

    def fitting(self, question: Question) -> tuple[list[Route], Specificity]:
        """The routes that fit everything and name the destination most closely, and how closely."""
        for routes, specificity in self._by_channel[question.channel].levels(question, self._lengths):
            if fitting := [route for route in routes if not other_than(route, question)]:
                return fitting, specificity
        return [], ANYWHERE

    def _longest_prefix(self, address: str) -> str:
        for length in self._lengths:
            prefix = address[1 : length + 1]
            if prefix in self._prefixes:
                return prefix
        return ""


_NO_TAGS: frozenset[str] = frozenset()


class _Destinations:
    """The routes of one channel by what they say of the destination."""

    def __init__(self, routes: Sequence[Route], channel: Channel) -> None:
        self._prefixes: dict[str, list[Route]] = {}
        self._countries: dict[str, list[Route]] = {}
        self._anywhere: list[Route] = []
        for route in routes:
            if route.channels and channel not in route.channels:
                continue
            for prefix in route.prefixes:
                self._prefixes.setdefault(prefix, []).append(route)
            for country in route.countries:
                self._countries.setdefault(country, []).append(route)
            if route.anywhere:
                self._anywhere.append(route)

    def levels(
        self, question: Question, lengths: Sequence[int]
    ) -> Iterator[tuple[Sequence[Route], Specificity]]:
        """The routes that name the destination, closest first."""
        for length in lengths:
            if length <= len(question.prefix):
                yield self._prefixes.get(question.prefix[:length], ()), (PREFIX_RANK, length)
        yield self._countries.get(question.country, ()), (COUNTRY_RANK, 0)
        yield self._anywhere, ANYWHERE


def other_than(route: Route, question: Question) -> str:
    """The first of senders, accounts, tags and traffic by which a route means other messages; "" for none."""
    if route.senders and question.sender not in route.senders:
        return "senders"
    if route.account_ids and question.account_id not in route.account_ids:
        return "accounts"
    if route.tags and question.tags.isdisjoint(route.tags):
        return "tags"
    return "traffic" if route.traffic and question.traffic not in route.traffic else ""


def specificity_of(route: Route, question: Question) -> Specificity | None:
    """How closely a route names the destination; None when it names others."""
    longest = max((len(each) for each in route.prefixes if question.prefix.startswith(each)), default=0)
    if longest:
        return PREFIX_RANK, longest
    if question.country and question.country in route.countries:
        return COUNTRY_RANK, 0
    return ANYWHERE if route.anywhere else None
