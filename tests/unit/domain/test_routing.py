"""Routing against a naive reading of its rules, and each rule by example."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.country import country_of
from broker.domain.explaining import Verdict, judge
from broker.domain.routes import Route, RouteTable
from broker.domain.routing import Carrier, Routing
from broker.domain.submission import Content, Submission
from broker.domain.vocabulary import Channel, Traffic
from broker.testing.builders import submission

SMS, EMAIL = Channel.SMS, Channel.EMAIL
NUMBER = "+447400123456"
NAMES = "abcd"
EVERYONE = tuple(Carrier(name, frozenset({SMS, EMAIL})) for name in NAMES)

PREFIXES = ["4", "44", "447", "4474", "44740", "1", "12", "49"]
NUMBERS = [NUMBER, "+447500123456", "+442071234567", "+12025550123", "+491701234567", "+33612345678"]

routes = st.builds(
    Route,
    name=st.just(""),
    provider=st.sampled_from(NAMES + "x"),
    channels=st.sampled_from([(), (SMS,), (EMAIL,), (SMS, EMAIL)]),
    prefixes=st.lists(st.sampled_from(PREFIXES), max_size=2, unique=True).map(tuple),
    countries=st.lists(st.sampled_from(["GB", "US", "DE"]), max_size=2, unique=True).map(tuple),
    senders=st.sampled_from([(), (), ("Shop",), ("Shop", "Bank")]),
    account_ids=st.sampled_from([(), (), (1,), (2, 3)]),
    tags=st.sampled_from([(), (), ("vip",), ("vip", "new")]),
    traffic=st.sampled_from([(), (), (Traffic.PASSCODE,)]),
    priority=st.integers(0, 2),
    weight=st.integers(1, 3),
    cost_micros=st.integers(0, 1),
)
tables = st.lists(routes, min_size=1, max_size=12).map(
    lambda given: RouteTable(7, tuple(replace(each, name=f"r{n}") for n, each in enumerate(given)))
)
submissions = st.builds(
    submission,
    sender=st.sampled_from(["", "Shop", "Other"]),
    account_id=st.sampled_from([1, 2, 9]),
    tags=st.sampled_from([(), ("vip",), ("old", "new")]),
    traffic=st.sampled_from([Traffic.PASSCODE, Traffic.PROMOTIONAL]),
    content=st.just(Content({SMS: {"text": "hello"}, EMAIL: {"subject": "hi", "text": "hello"}})),
)
carrier_sets = st.lists(
    st.builds(
        Carrier,
        name=st.sampled_from(NAMES),
        channels=st.sampled_from([frozenset({SMS}), frozenset({SMS, EMAIL})]),
        content=st.sampled_from([None, None, frozenset({"sms.text", "email.text"})]),
        restricted_text=st.booleans(),
        drained=st.sampled_from([False, False, False, True]),
    ),
    unique_by=lambda each: each.name,
    min_size=1,
).map(tuple)
channels = st.sampled_from([SMS, SMS, EMAIL])
ids = st.integers(1, (1 << 63) - 1)


def closeness(route: Route, channel: Channel, number: str) -> int | None:
    """100 and more for a prefix, 1 for a country, 0 for no destination, None where it does not fit."""
    if not route.prefixes and not route.countries:
        return 0
    if channel is not SMS:
        return None
    fitting = [100 + len(each) for each in route.prefixes if number[1:].startswith(each)]
    if country_of(number) in route.countries:
        fitting.append(1)
    return max(fitting, default=None)


def fits(route: Route, asked: Submission, channel: Channel) -> bool:
    return (
        (not route.channels or channel in route.channels)
        and (not route.senders or asked.sender in route.senders)
        and (not route.account_ids or asked.account_id in route.account_ids)
        and (not route.tags or bool(set(asked.tags) & set(route.tags)))
        and (not route.traffic or asked.traffic in route.traffic)
    )


def oracle(
    table: RouteTable, carriers: tuple[Carrier, ...], asked: Submission, channel: Channel, number: str
) -> list[tuple[int, int, str]]:
    """The candidates with what they are ordered by, from the words of the rules."""
    close = {
        each.name: near
        for each in table.routes
        if fits(each, asked, channel) and (near := closeness(each, channel, number)) is not None
    }
    nearest = max(close.values(), default=None)
    able = {
        each.name
        for each in carriers
        if channel in each.channels
        and not each.drained
        and (
            each.content is None
            or {f"{channel.name.lower()}.{f}" for f in asked.content.documents[channel]} <= each.content
        )
    }
    best: dict[str, tuple[int, int]] = {}
    for each in table.routes:
        if close.get(each.name) == nearest is not None and each.provider in able:
            merit = (each.priority, each.cost_micros)
            best[each.provider] = min(merit, best.get(each.provider, merit))
    return sorted((*merit, name) for name, merit in best.items())


@given(tables, carrier_sets, submissions, channels, st.sampled_from(NUMBERS), ids)
def test_candidates_are_those_of_a_naive_reading(
    table: RouteTable,
    carriers: tuple[Carrier, ...],
    asked: Submission,
    channel: Channel,
    number: str,
    identity: int,
) -> None:
    """The same instances; an order by priority and cost, whatever the lots say among equals."""
    found = Routing(table, carriers).find(asked, channel, number, identity)
    expected = oracle(table, carriers, asked, channel, number)
    merit = {name: (priority, cost) for priority, cost, name in expected}
    assert {name for *_, name in expected} == set(found)
    assert [(priority, cost) for priority, cost, _ in expected] == [merit[name] for name in found]


@given(tables, carrier_sets, submissions, channels, st.sampled_from(NUMBERS), ids, st.randoms())
def test_the_order_of_the_table_does_not_matter(
    table: RouteTable,
    carriers: tuple[Carrier, ...],
    asked: Submission,
    channel: Channel,
    number: str,
    identity: int,
    random: Any,
) -> None:
    """Nor what was asked before: equal routes draw the same lots."""
    shuffled = random.sample(table.routes, len(table.routes))
    one, other = Routing(table, carriers), Routing(RouteTable(7, tuple(shuffled)), carriers)
    other.find(asked, SMS, NUMBERS[0], identity + 1)
    assert one.find(asked, channel, number, identity) == other.find(asked, channel, number, identity)


@given(tables, carrier_sets, submissions, channels, st.sampled_from(NUMBERS), ids)
def test_an_explanation_judges_every_route_and_every_instance(
    table: RouteTable,
    carriers: tuple[Carrier, ...],
    asked: Submission,
    channel: Channel,
    number: str,
    identity: int,
) -> None:
    """Once; the winners are what was found, and who is said to be less specific fits and is beaten."""
    routing = Routing(table, carriers)
    found = routing.find(asked, channel, number, identity)
    judgements = judge(routing, asked, channel, number, found)
    won = [each.route.provider for each in judgements if each.verdict <= Verdict.STANDBY]
    assert list(found) == won
    assert Counter(each.name for each in table.routes) == Counter(
        each.route.name for each in judgements if each.route.name
    )
    assert {each.name for each in carriers} <= {each.route.provider for each in judgements}
    fitting = {
        each.name: near
        for each in table.routes
        if fits(each, asked, channel) and (near := closeness(each, channel, number)) is not None
    }
    beaten = {name for name, near in fitting.items() if near < max(fitting.values())}
    assert beaten == {each.route.name for each in judgements if each.verdict is Verdict.LESS_SPECIFIC}


def route(name: str, provider: str, **fields: Any) -> Route:
    return Route(name, provider, **fields)


def find(
    *table: Route,
    carriers: tuple[Carrier, ...] = EVERYONE,
    number: str = NUMBER,
    penalties: Any = None,
    **asked: Any,
) -> tuple[str, ...]:
    """The candidates for a plain SMS."""
    return Routing(RouteTable(1, table), carriers).find(submission(**asked), SMS, number, 5, penalties or {})


def verdicts(
    *table: Route, carriers: tuple[Carrier, ...] = EVERYONE, number: str = NUMBER, **asked: Any
) -> dict[str, tuple[Verdict, str]]:
    """What is said of each route, or of each instance without one."""
    routing = Routing(RouteTable(1, table), carriers)
    given = submission(**asked)
    found = routing.find(given, SMS, number, 5)
    judged = judge(routing, given, SMS, number, found)
    return {each.route.name or each.route.provider: (each.verdict, each.detail) for each in judged}


def test_without_routes_the_order_of_the_settings_counts() -> None:
    """Of those that serve the channel; failover needs no set-up."""
    carriers = (
        Carrier("z", frozenset({SMS})),
        Carrier("m", frozenset({EMAIL})),
        Carrier("a", frozenset({SMS})),
    )
    assert ("z", "a") == find(carriers=carriers)


def test_the_longest_prefix_wins_over_priority_and_cost() -> None:
    """The others are out, not behind."""
    table = [
        route("uk", "a", prefixes=("44",)),
        route("mobile", "b", prefixes=("447",), priority=9, cost_micros=9),
        route("gb", "c", countries=("GB",)),
        route("any", "d"),
    ]
    assert ("b",) == find(*table)
    assert ("a",) == find(*table, number="+442071234567")
    assert ("d",) == find(*table, number="+33612345678")
    assert ("c",) == find(*table[2:])


def test_a_closer_route_that_means_other_messages_beats_nobody() -> None:
    """Only what fits in everything is compared."""
    table = [route("bank", "a", prefixes=("447",), senders=("Bank",)), route("uk", "b", prefixes=("44",))]
    assert ("b",) == find(*table)
    assert ("a",) == find(*table, sender="Bank")


def test_a_closest_route_whose_instance_cannot_carry_it_leaves_nobody() -> None:
    """A wider route is no fallback: whoever wants one says so with the same prefix."""
    carriers = (replace(EVERYONE[0], drained=True), *EVERYONE[1:])
    assert () == find(route("uk", "a", prefixes=("44",)), route("any", "b"), carriers=carriers)


def test_health_goes_before_priority_and_priority_before_cost() -> None:
    """An instance in trouble is tried last, and still is a candidate."""
    table = [
        route("1", "a", priority=0, cost_micros=1),
        route("2", "b", priority=0, cost_micros=2),
        route("3", "c", priority=1, cost_micros=0),
    ]
    assert ("a", "b", "c") == find(*table)
    assert ("b", "c", "a") == find(*table, penalties={"a": 1.0})


def test_health_matters_without_routes_too() -> None:
    """The rest stays in the order of the settings."""
    assert ("a", "c", "d", "b") == find(penalties={"b": 1.0})


@pytest.mark.parametrize("weights", [(1, 1), (1, 3), (5, 2, 1), (1, 1, 1, 1), (100, 1)])
def test_equal_routes_share_by_weight(weights: tuple[int, ...]) -> None:
    """For each place among those that are left; ids in a row are as good as any."""
    table = RouteTable(1, tuple(route(n, n, weight=w) for n, w in zip(NAMES, weights, strict=False)))
    routing, asked = Routing(table, EVERYONE), submission()
    start, count = 1_790_000_000_000 << 22, 6_000
    orders = [routing.find(asked, SMS, NUMBER, start + number) for number in range(count)]
    first, second = Counter(each[0] for each in orders), Counter(each[:2] for each in orders)
    total = sum(weights)
    for name, weight in zip(NAMES, weights, strict=False):
        assert count * weight / total == pytest.approx(first[name], abs=4.5 * (count * 0.25) ** 0.5)
        for other, rest in zip(NAMES, weights, strict=False):
            if other != name:
                share = weight / total * rest / (total - weight)
                assert count * share == pytest.approx(second[name, other], abs=4.5 * (count * 0.25) ** 0.5)


def test_equal_routes_to_one_instance_add_up() -> None:
    """As if it had one route with both weights."""
    split = [route("a1", "a", weight=1), route("a2", "a", weight=2), route("b", "b", weight=3)]
    whole = [route("a", "a", weight=3), route("b", "b", weight=3)]
    one, other = (
        Routing(RouteTable(1, tuple(split)), EVERYONE),
        Routing(RouteTable(1, tuple(whole)), EVERYONE),
    )
    asked = submission()
    for number in range(200):
        assert one.find(asked, SMS, NUMBER, number) == other.find(asked, SMS, NUMBER, number)


def test_a_pin_leaves_its_instance_only() -> None:
    """Whatever the routes say; and nobody where it cannot carry the message."""
    table = [route("uk", "a", prefixes=("44",))]
    drained = tuple(replace(each, drained=True) for each in EVERYONE)
    assert ("d",) == find(*table, provider="d")
    assert () == find(*table, provider="d", carriers=drained)
    assert () == find(*table, provider="nobody")
    said = verdicts(*table, provider="d")
    assert (Verdict.CHOSEN, Verdict.NOT_PINNED) == (said["d"][0], said["a"][0])


def test_an_instance_gets_only_content_that_it_honours() -> None:
    """By the fields in use; and only texts of its profile."""
    carriers = (
        Carrier("plain", frozenset({SMS}), content=frozenset({"sms.text"})),
        Carrier("narrow", frozenset({SMS}), restricted_text=True),
        Carrier("wide", frozenset({SMS})),
    )
    subject = Content({SMS: {"text": "hello", "subject": "hi"}})
    accent = Content({SMS: {"text": "café"}})
    assert ("plain", "narrow", "wide") == find(carriers=carriers)
    assert ("narrow", "wide") == find(carriers=carriers, content=subject)
    assert ("plain", "wide") == find(carriers=carriers, content=accent)
    assert (Verdict.CONTENT_UNSUPPORTED, "the provider does not honour sms.subject") == verdicts(
        carriers=carriers, content=subject
    )["plain"]
    assert (
        Verdict.TEXT_REFUSED,
        "the provider's text profile refuses it: the character U+00E9 is not allowed",
    ) == verdicts(carriers=carriers, content=accent)["narrow"]


def test_every_loser_is_told_why() -> None:
    """By the first rule that it met, those that came closest first."""
    carriers = (
        *EVERYONE[:2],
        replace(EVERYONE[2], drained=True),
        Carrier("mail", frozenset({EMAIL})),
        Carrier("idle", frozenset({SMS})),
    )
    here = {"prefixes": ("447",)}
    table = [
        route("best", "a", **here),
        route("next", "b", priority=1, **here),
        route("again", "a", priority=2, **here),
        route("drained", "c", **here),
        route("mailing", "mail", **here),
        route("gone", "old", **here),
        route("wider", "b", prefixes=("44",)),
        route("promo", "b", traffic=(Traffic.PROMOTIONAL,), **here),
        route("vips", "b", tags=("vip",), **here),
        route("theirs", "b", account_ids=(2,), **here),
        route("bank", "b", senders=("Bank",), **here),
        route("us", "b", countries=("US",)),
        route("letters", "b", channels=(EMAIL,)),
    ]
    said = verdicts(*table, carriers=carriers)
    assert [
        ("best", Verdict.CHOSEN),
        ("next", Verdict.STANDBY),
        ("again", Verdict.REPEATED),
        ("drained", Verdict.DRAINED),
        ("mailing", Verdict.CHANNEL_NOT_SERVED),
        ("gone", Verdict.PROVIDER_UNKNOWN),
        ("wider", Verdict.LESS_SPECIFIC),
        ("promo", Verdict.OTHER_TRAFFIC),
        ("vips", Verdict.OTHER_TAGS),
        ("theirs", Verdict.OTHER_ACCOUNT),
        ("bank", Verdict.OTHER_SENDER),
        ("us", Verdict.OTHER_DESTINATION),
        ("letters", Verdict.OTHER_CHANNEL),
        ("idle", Verdict.UNROUTED),
    ] == [(name, verdict) for name, (verdict, _) in said.items()]
    assert "by prefix 447" == said["best"][1]
    assert "another route names the destination more closely, by prefix 447" == said["wider"][1]
    assert "route best gives the provider a better place" == said["again"][1]


def test_health_shows_in_the_explanation() -> None:
    """Where it counts against an instance."""
    routing, penalties = Routing(RouteTable(), EVERYONE[:2]), {"a": 2.5}
    found = routing.find(submission(), SMS, NUMBER, 1, penalties)
    judged = judge(routing, submission(), SMS, NUMBER, found, penalties)
    assert [
        ("b", "by the order of the settings"),
        ("a", "by the order of the settings; its health counts against it"),
    ] == [(each.route.provider, each.detail) for each in judged]
