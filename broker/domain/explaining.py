"""Why routing decided as it did: a verdict for every route and instance, from the very parts that decided."""

from collections.abc import Mapping, Sequence
from enum import IntEnum

from broker.domain.encoding import Part, split
from broker.domain.personalising import as_said, told
from broker.domain.plan import Plan, PolicyFinding
from broker.domain.price import Price
from broker.domain.prices import FREE, Prices, price_of
from broker.domain.route_index import (
    COUNTRY_RANK,
    PREFIX_RANK,
    Question,
    Specificity,
    other_than,
    specificity_of,
)
from broker.domain.routes import Route
from broker.domain.routing import ALL_HEALTHY, Penalties, Routing, Slate, merit
from broker.domain.submission import Result, Submission
from broker.domain.value import value
from broker.domain.vocabulary import Channel

LOSERS_MAX = 100
"""Of a channel, in an explanation."""


class Verdict(IntEnum):
    """What became of a route, or of an instance. The numbers equal those of the protos.

    Of losers, a higher number came closer.
    """

    CHOSEN = 1
    STANDBY = 2
    NOT_PINNED = 3
    UNROUTED = 4
    OTHER_CHANNEL = 5
    OTHER_DESTINATION = 6
    OTHER_SENDER = 7
    OTHER_ACCOUNT = 8
    OTHER_TAGS = 9
    OTHER_TRAFFIC = 10
    LESS_SPECIFIC = 11
    PROVIDER_UNKNOWN = 12
    CHANNEL_NOT_SERVED = 13
    DRAINED = 14
    REPEATED = 15
    CONTENT_UNSUPPORTED = 16
    TEXT_REFUSED = 17
    DROPPED_BY_PLUGIN = 18
    SENDER_NOT_USABLE = 19


@value
class Judgement:
    """A route with its verdict, and the same for people; addresses and texts are not in it.

    Of an instance without a route, `route` has its name as provider and nothing else. Of a winner that several
    equal routes lead to, it has the sum of their weights.
    """

    route: Route
    verdict: Verdict
    detail: str


@value
class Find:
    """A question that planning put to routing, and the answer. `asked` has the sender that it was put for."""

    asked: Submission
    channel: Channel
    address: str
    found: tuple[str, ...]


@value
class Considered:
    """A judgement about a channel.

    `cost_micros` is what the message would cost the operator by the route, `price` its account.
    """

    channel: Channel
    judgement: Judgement
    cost_micros: int
    price: Price | None = None


@value
class Explanation:
    """What would become of one recipient and why.

    `parts` are those of an SMS; `omitted` counts losers beyond LOSERS_MAX of a channel.
    """

    result: Result
    parts: tuple[Part, ...]
    considered: tuple[Considered, ...]
    omitted: int
    route_version: int
    policy: tuple[PolicyFinding, ...] = ()


_Why = tuple[Verdict, str]
_OTHER: dict[str, _Why] = {
    "senders": (Verdict.OTHER_SENDER, "names other senders"),
    "accounts": (Verdict.OTHER_ACCOUNT, "names other accounts"),
    "tags": (Verdict.OTHER_TAGS, "names other tags"),
    "traffic": (Verdict.OTHER_TRAFFIC, "names other traffic"),
}


def explain_plan(
    routing: Routing,
    plan: Plan,
    finds: Mapping[int, Sequence[Find]],
    penalties: Penalties = ALL_HEALTHY,
    prices: Prices = FREE,
) -> list[Explanation]:
    """Explain each message of a plan, from what planning asked `routing` about it, by message id."""
    alike = _parts_of(as_said(plan.submission))
    explanations: list[Explanation] = []
    for message in plan.messages:
        parts = alike
        if message.tokens is not None:
            parts = _parts_of(told(plan.submission, message.tokens))
        considered: list[Considered] = []
        omitted = 0
        for find in _telling(finds.get(message.message_id, ())):
            units = len(parts) if find.channel is Channel.SMS else 1
            judged = judge(routing, find.asked, find.channel, find.address, find.found, penalties)
            shown = judged[: len(find.found) + LOSERS_MAX]
            omitted += len(judged) - len(shown)
            considered += [
                Considered(
                    find.channel,
                    each,
                    each.route.cost_micros * units,
                    price_of(prices, each.route.provider, find.channel, find.address, units),
                )
                for each in shown
            ]
        said = parts if message.result.channel is Channel.SMS else ()
        explanation = Explanation(
            message.result, said, tuple(considered), omitted, plan.route_version, message.policy
        )
        explanations.append(explanation)
    return explanations


def _telling(finds: Sequence[Find]) -> list[Find]:
    """Of each channel the question that decided: the one for the sender that was found, or else the last."""
    return list({find.channel: find for find in finds}.values())


def _parts_of(submission: Submission) -> tuple[Part, ...]:
    content = submission.content
    return split(content.text_on(Channel.SMS)) if Channel.SMS in content.documents else ()


def judge(
    routing: Routing,
    submission: Submission,
    channel: Channel,
    address: str,
    found: Sequence[str],
    penalties: Penalties = ALL_HEALTHY,
) -> list[Judgement]:
    """The candidates `found` by `routing.find`, in order, then every loser, those that came closest first."""
    slate = routing.slate(submission, channel, address)
    question = routing.question(submission, channel, address)
    places = {each.provider: each for each in slate.places}
    how = _how_won(routing, submission, slate, question)
    won = [
        Judgement(places[name], Verdict.STANDBY if rank else Verdict.CHOSEN, how + _health(penalties, name))
        for rank, name in enumerate(found)
    ]
    considered = (Route("", submission.provider),) if submission.provider else routing.routes
    lost: list[Judgement] = []
    for route in considered:
        place = places.get(route.provider)
        if place is None or place.name != route.name:
            lost.append(Judgement(route, *_why_no_place(routing, route, question, slate, place)))
        elif route.provider not in found:
            document = submission.content.documents[channel]
            lost.append(Judgement(route, *_why_not_found(routing, route, submission, channel, document)))
    for name in routing.carriers.keys() - {route.provider for route in considered}:
        if submission.provider:
            why = Verdict.NOT_PINNED, f"the message is pinned to {submission.provider}"
        else:
            why = Verdict.UNROUTED, "no route leads to it"
        lost.append(Judgement(Route("", name), *why))
    return won + sorted(lost, key=lambda each: (-each.verdict, each.route.provider))


def _how_won(routing: Routing, submission: Submission, slate: Slate, question: Question) -> str:
    if submission.provider:
        return "the message is pinned to it"
    if not routing.stored:
        return "by the order of the settings"
    lots = ", lots drawn by weight" if slate.drawn else ""
    return "by " + _destination(slate.specificity, question) + lots


def _destination(specificity: Specificity, question: Question) -> str:
    rank, digits = specificity
    if rank == PREFIX_RANK:
        return f"prefix {question.prefix[:digits]}"
    return f"country {question.country}" if rank == COUNTRY_RANK else "any destination"


def _health(penalties: Penalties, name: str) -> str:
    return "; its health counts against it" if penalties.get(name) else ""


def _why_no_place(
    routing: Routing, route: Route, question: Question, slate: Slate, place: Route | None
) -> _Why:
    """Why a route is not on the slate, by the first rule that kept it off."""
    if other := _why_other(route, question, slate):
        return other
    carrier = routing.carriers.get(route.provider)
    if carrier is None:
        return Verdict.PROVIDER_UNKNOWN, "no provider instance has this name"
    if question.channel not in carrier.channels:
        return Verdict.CHANNEL_NOT_SERVED, f"the provider does not serve {question.channel.name}"
    if place is None:
        return Verdict.DRAINED, "the provider is drained"
    if merit(place) == merit(route):
        return Verdict.REPEATED, f"equal to route {place.name}, which has its weight too"
    return Verdict.REPEATED, f"route {place.name} gives the provider a better place"


def _why_other(route: Route, question: Question, slate: Slate) -> _Why | None:
    """Why a route is one for other messages; None when it is one for these."""
    if route.channels and question.channel not in route.channels:
        return Verdict.OTHER_CHANNEL, "names other channels"
    specificity = specificity_of(route, question)
    if specificity is None:
        return Verdict.OTHER_DESTINATION, "names other destinations"
    if field := other_than(route, question):
        return _OTHER[field]
    if specificity != slate.specificity:
        closest = _destination(slate.specificity, question)
        return Verdict.LESS_SPECIFIC, f"another route names the destination more closely, by {closest}"
    return None


def _why_not_found(
    routing: Routing, route: Route, submission: Submission, channel: Channel, document: Mapping[str, object]
) -> _Why:
    """Why a route of the slate is none for this message."""
    if submission.sender_providers and route.provider not in submission.sender_providers:
        return Verdict.SENDER_NOT_USABLE, "the sender is not registered for this provider"
    misfit = routing.misfit(route.provider, channel, document)
    if misfit is None:
        return Verdict.DROPPED_BY_PLUGIN, "a plugin left it out"
    if misfit.field:
        return Verdict.CONTENT_UNSUPPORTED, f"the provider does not honour {misfit.field}"
    return Verdict.TEXT_REFUSED, f"the provider's text profile refuses it: {misfit.text}"
