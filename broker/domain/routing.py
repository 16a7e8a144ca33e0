"""Routing: which provider instances may carry a message, and in which order to try them.

1. A route counts when everything that it names fits: channel, destination, sender, account, tags, traffic.
2. Among those the most specific destination wins: a longer prefix before a shorter one, any prefix before a
   country, a country before none. The rest is out, also where none of the winners can carry the message.
3. Instances that are unknown, drained, without the channel, unable to carry this content, or none that the
   sender is usable on are out.
4. The others are ordered by health, priority and cost. Equal ones draw lots by weight from the message's id.

An instance appears once, at its best place; equal routes to it add up their weights. A table without routes
stands for a route to each instance, in the order of the settings. For a pinned message the only route is to
the pinned instance.

This runs for every message: what many messages share is worked out once and remembered as a slate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import pairwise

from broker.domain.lot import draw, ticket_of
from broker.domain.route_index import ANYWHERE, Question, RouteIndex, Specificity
from broker.domain.routes import Route, RouteTable
from broker.domain.submission import Submission
from broker.domain.text_profile import restricted_refusal
from broker.domain.value import value
from broker.domain.vocabulary import Channel

SLATES_MAX = 8_192
"""Of these many kinds of messages the slate is remembered."""

Penalties = Mapping[str, float]
"""What counts against instances that are not healthy, by name: the more, the later they are tried."""

ALL_HEALTHY: Penalties = {}


@value
class Carrier:
    """A provider instance as routing sees it.

    `content` has the fields of content that it honours, as "sms.text"; None: all. `restricted_text`: it takes
    texts of `domain.text_profile` only. `sandbox`: what it takes reaches nobody.
    """

    name: str
    channels: frozenset[Channel]
    content: frozenset[str] | None = None
    restricted_text: bool = False
    drained: bool = False
    sandbox: bool = False

    @property
    def picky(self) -> bool:
        """Whether it refuses some content of its channels."""
        return self.restricted_text or self.content is not None


@value
class Slate:
    """The places of all messages that are alike to the routes, in order; lots are still to be drawn.

    `names` are their instances. `settled`: nothing about one of the messages changes it.
    """

    places: tuple[Route, ...]
    names: tuple[str, ...]
    specificity: Specificity
    drawn: bool
    picky: bool
    settled: bool


class Routing:
    """A table of routes over the instances there are, made ready for use. Nothing in it changes.

    `carriers` are in the order of the settings.
    """

    def __init__(self, table: RouteTable, carriers: Sequence[Carrier]) -> None:
        self.version = table.version
        self.stored = bool(table.routes)
        self.routes = table.routes or implied_routes(carriers)
        self.carriers = {each.name: each for each in carriers}
        self._index = RouteIndex(self.routes)
        self._tickets = {name: ticket_of(name) for name in self.carriers}
        self._slate = lru_cache(maxsize=SLATES_MAX)(self._make_slate)
        self._pinned_slate = lru_cache(maxsize=SLATES_MAX)(self._make_pinned_slate)
        self._plain = {} if table.routes else self._plain_names()

    @cached_property
    def of_sandboxes(self) -> "Routing":
        """The routing of accounts that reach nobody: to each sandbox instance, whatever the table says."""
        carriers = [each for each in self.carriers.values() if each.sandbox]
        return Routing(RouteTable(self.version, ()), carriers)

    def find(
        self,
        submission: Submission,
        channel: Channel,
        address: str,
        message_id: int,
        penalties: Penalties = ALL_HEALTHY,
    ) -> tuple[str, ...]:
        """The instances that may carry a submission to a normal address, the one to try first first."""
        usable = submission.sender_providers
        if not (penalties or submission.provider or usable) and channel in self._plain:
            return self._plain[channel]
        slate = self.slate(submission, channel, address)
        if slate.settled and not (penalties or usable):
            return slate.names
        places = slate.places
        if usable:
            places = tuple(each for each in places if each.provider in usable)
        if slate.picky:
            document = submission.content.documents[channel]
            places = tuple(each for each in places if not self.misfit(each.provider, channel, document))
        return tuple(each.provider for each in self._in_order(places, slate, message_id, penalties))

    def slate(self, submission: Submission, channel: Channel, address: str) -> Slate:
        """The places of a submission's messages to a normal address, whatever they say."""
        if submission.provider:
            return self._pinned_slate(submission.provider, channel)
        return self._slate(self._index.question(submission, channel, address))

    def question(self, submission: Submission, channel: Channel, address: str) -> Question:
        """What the routes look at of a submission to a normal address."""
        return self._index.question(submission, channel, address)

    def misfit(self, name: str, channel: Channel, document: Mapping[str, object]) -> "Misfit | None":
        """Why a known instance cannot carry what is said on a channel; None when it can."""
        carrier = self.carriers[name]
        if carrier.content is not None:
            used = {f"{channel.name.lower()}.{field}" for field in document}
            if unsupported := sorted(used - carrier.content):
                return Misfit(unsupported[0], "")
        if carrier.restricted_text and (refusal := restricted_refusal(document)):
            return Misfit("", refusal)
        return None

    def _in_order(
        self, places: Sequence[Route], slate: Slate, message_id: int, penalties: Penalties
    ) -> Sequence[Route]:
        if len(places) < 2 or not (slate.drawn or penalties):
            return places
        tickets = self._tickets

        def rank(place: Route) -> tuple[float, int, int, float]:
            lot = draw(message_id, tickets[place.provider], place.weight) if slate.drawn else 0
            return penalties.get(place.provider, 0), place.priority, place.cost_micros, lot

        return sorted(places, key=rank)

    def _make_slate(self, question: Question) -> Slate:
        fitting, specificity = self._index.fitting(question)
        return self._slate_of(fitting, question.channel, specificity)

    def _make_pinned_slate(self, name: str, channel: Channel) -> Slate:
        return self._slate_of([Route("", name)], channel, ANYWHERE)

    def _slate_of(self, routes: Sequence[Route], channel: Channel, specificity: Specificity) -> Slate:
        best: dict[str, Route] = {}
        for route in routes:
            if not self.can_serve(route.provider, channel):
                continue
            other = best.get(route.provider)
            if other is None or merit(route) < merit(other):
                best[route.provider] = route
            elif merit(route) == merit(other):
                best[route.provider] = replace(other, weight=other.weight + route.weight)
        places = tuple(sorted(best.values(), key=lambda each: (*merit(each), each.provider)))
        drawn = any(merit(one) == merit(next_) for one, next_ in pairwise(places))
        picky = any(self.carriers[each.provider].picky for each in places)
        names = tuple(each.provider for each in places)
        return Slate(places, names, specificity, drawn, picky, not (drawn or picky))

    def can_serve(self, name: str, channel: Channel) -> bool:
        """Whether there is such an instance, it has the channel, and it takes new messages."""
        carrier = self.carriers.get(name)
        return carrier is not None and channel in carrier.channels and not carrier.drained

    def _plain_names(self) -> dict[Channel, tuple[str, ...]]:
        """The answer on channels where every message gets the same."""
        nobody = frozenset[str]()
        slates = {
            channel: self._make_slate(Question(channel, "", "", "", 0, nobody, None)) for channel in Channel
        }
        return {channel: slate.names for channel, slate in slates.items() if slate.settled}


@value
class Misfit:
    """Why content does not fit an instance: a field that it does not honour, or what its text profile says."""

    field: str
    text: str


def implied_routes(carriers: Sequence[Carrier]) -> tuple[Route, ...]:
    """What a table without routes stands for."""
    return tuple(Route("", each.name, priority=place) for place, each in enumerate(carriers))


def merit(route: Route) -> tuple[int, int]:
    """What decides among healthy instances; the lower is first."""
    return route.priority, route.cost_micros
