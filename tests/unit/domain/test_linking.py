"""Which links are shortened, and what each message gets."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from broker.domain.account_policy import AccountPolicy, policy_problems
from broker.domain.encoding import measure
from broker.domain.explaining import explain_plan
from broker.domain.grounds import Grounds
from broker.domain.link_policy import (
    LINK_DOMAIN_CHARACTERS_MAX,
    LINK_DOMAINS_MAX,
    WEB_PARAMETER_CHARACTERS_MAX,
    WEB_PARAMETERS_MAX,
)
from broker.domain.linking import LINKS_MAX, LinksRefused
from broker.domain.links import LINK_CHARACTERS_MAX, LinkWish, short_url
from broker.domain.personalising import TextsBroken, TooManyUnits
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.routes import RouteTable
from broker.domain.routing import Routing
from broker.domain.saying import names_of
from broker.domain.submission import Campaign, Content, Recipient, Submission
from broker.domain.vocabulary import Channel
from broker.testing.builders import NOW_US, IdCounter, everywhere, phones, sms, submission

LINK = "https://example.com/a"
DOMAIN = "go.example.org"
POLICY = AccountPolicy(
    link_domains=(DOMAIN, "l.example.net"), web_parameters=("utm_source=sms", "c={campaign}")
)
ALWAYS = replace(POLICY, track_links=True)


def decided(asked: Submission, policy: AccountPolicy = POLICY, find: Any = everywhere) -> Any:
    """What planning makes of it; codes count up from 1."""
    codes = itertools.count(1)
    ids = IdCounter().take(1 + len(asked.recipients))
    return plan(asked, ids, Grounds(NOW_US, 10, find, policy=policy, draw_code=lambda: next(codes)))


def tracked(text: str = LINK, **changes: Any) -> Submission:
    """An SMS whose links are to be shortened."""
    return submission(**{"content": sms(text), "track_links": True} | changes)


def made_of(documents: dict[Channel, Any], *tokens: dict[str, str], **changes: Any) -> Submission:
    """A content with placeholders, for recipients with values of their own."""
    recipients = tuple(
        replace(each, tokens=own) for each, own in zip(phones(len(tokens)), tokens, strict=True)
    )
    content = Content(documents, names_of(documents))
    return submission(**{"content": content, "recipients": recipients, "track_links": True} | changes)


@pytest.mark.parametrize(
    ("policy", "wish", "domain"),
    [
        (POLICY, {}, None),
        (POLICY, {"track_links": True}, DOMAIN),
        (POLICY, {"track_links": True, "short_link_domain": "l.example.net"}, "l.example.net"),
        (POLICY, {"short_link_domain": DOMAIN}, DOMAIN),
        (ALWAYS, {}, DOMAIN),
        (ALWAYS, {"track_links": False}, None),
        (AccountPolicy(), {}, None),
    ],
)
def test_a_request_decides_before_its_account(policy: AccountPolicy, wish: Any, domain: str | None) -> None:
    """To name a domain is to ask for short links."""
    made = decided(submission(content=sms(LINK), **wish), policy)
    assert ([] if domain is None else [domain]) == [each.domain for each in made.links]


@pytest.mark.parametrize(
    ("policy", "wish", "field"),
    [
        (POLICY, {"short_link_domain": "example.net"}, "options.short_link_domain"),
        (AccountPolicy(), {"short_link_domain": DOMAIN}, "options.short_link_domain"),
        (AccountPolicy(), {"track_links": True}, "options.track_links"),
    ],
)
def test_a_domain_must_be_the_accounts(policy: AccountPolicy, wish: Any, field: str) -> None:
    """Else the whole call is refused, with the field."""
    refused = decided(submission(**wish), policy)
    assert isinstance(refused, LinksRefused)
    assert (field, True) == (refused.field, "link_domains" in refused.rule)


@pytest.mark.parametrize(
    ("templates", "wish", "policy", "domain"),
    [
        (LinkWish(), {}, ALWAYS, DOMAIN),
        (LinkWish(track=True), {}, POLICY, DOMAIN),
        (LinkWish(domain="l.example.net"), {}, POLICY, "l.example.net"),
        (LinkWish(track=False), {}, ALWAYS, None),
        (LinkWish(track=False), {"track_links": True}, POLICY, DOMAIN),
        (LinkWish(domain="l.example.net"), {"track_links": True}, POLICY, "l.example.net"),
        (LinkWish(domain="l.example.net"), {"short_link_domain": DOMAIN}, POLICY, DOMAIN),
        (LinkWish(track=True), {"track_links": False}, ALWAYS, None),
    ],
)
def test_a_template_decides_between_request_and_account(
    templates: LinkWish, wish: Any, policy: AccountPolicy, domain: str | None
) -> None:
    """What the request says comes first, what the policy says last (C23)."""
    content = replace(sms(LINK), link_wish=templates)
    made = decided(submission(content=content, **wish), policy)
    assert ([] if domain is None else [domain]) == [each.domain for each in made.links]


def test_a_template_on_a_foreign_domain_is_refused() -> None:
    """By the field of the request that names it."""
    refused = decided(submission(content=replace(sms(LINK), link_wish=LinkWish(domain="x.example"))))
    assert isinstance(refused, LinksRefused)
    assert ("template", True) == (
        refused.field,
        refused.rule.startswith("its short_link_domain must be one of"),
    )


def test_each_message_has_a_code_for_each_link() -> None:
    """One, however often the text has the link; a message that is refused has none."""
    asked = tracked(
        f"{LINK} http://example.net {LINK}", recipients=(*phones(2), Recipient(phone_number="no"))
    )
    made = decided(asked)
    first, second, _ = (each.message_id for each in made.messages)
    assert [
        (first, 0, 1, LINK),
        (first, 1, 2, "http://example.net"),
        (second, 0, 3, LINK),
        (second, 1, 4, "http://example.net"),
    ] == [(each.message_id, each.place, each.code, each.url) for each in made.links]
    assert asked.content.documents == made.submission.content.documents


def test_units_are_those_of_the_short_text() -> None:
    """Exactly: one part more or less than the long one, and the same in an explanation."""
    short = short_url(DOMAIN, 0)
    long_link = f"https://example.com/{'a' * 200}"
    for room, units in ((160 - len(short), 1), (161 - len(short), 2)):
        made = decided(tracked("x" * (room - 1) + " " + long_link))
        assert units == made.messages[0].result.units
        (explained,) = explain_plan(Routing(RouteTable(0, ()), ()), made, {})
        assert units == len(explained.parts)
        assert "x" * (room - 1) + " " + short == "".join(part.text for part in explained.parts)


def test_a_short_link_may_take_more_than_the_long_one() -> None:
    """Its units count, also against the most that are allowed."""
    text = "http://a.b " * 130
    assert 10 >= measure(text).units
    assert isinstance(decided(tracked(text)), TooManyUnits)


def test_links_are_found_once_values_are_in() -> None:
    """In a link, as a link, and beside one; each recipient has its own."""
    asked = made_of(
        {Channel.SMS: {"text": "$where$ https://example.com/$name$."}},
        {"where": "at http://example.net/x, too", "name": "a"},
        {"where": "nowhere", "name": "b"},
    )
    made = decided(asked)
    first, second = (each.message_id for each in made.messages)
    assert [
        (first, "http://example.net/x"),
        (first, "https://example.com/a"),
        (second, "https://example.com/b"),
    ] == [(each.message_id, each.url) for each in made.links]
    short = short_url(DOMAIN, 0)
    said = [f"at {short}, too {short}.", f"nowhere {short}."]
    assert [measure(each).units for each in said] == [each.result.units for each in made.messages]


def test_the_bodies_of_an_email_are_looked_through_as_they_are_told() -> None:
    """A value is escaped in HTML and not in text."""
    body = {
        "subject": "s",
        "text": "$link$ and\nhttps://example.com/$name$",
        "html": '<a href="$link$">$link$</a> <a href="https://example.com/$name$">',
    }
    own = {"link": "https://example.net/?a=1&b=2", "name": "n"}
    asked = made_of({Channel.EMAIL: body}, own)
    recipients = (Recipient(email="ada@example.org", tokens=own),)
    made = decided(replace(asked, recipients=recipients))
    assert ["https://example.net/?a=1&b=2", "https://example.com/n"] == [each.url for each in made.links]


def test_links_are_those_of_the_channel_that_is_taken() -> None:
    """What is said elsewhere is not said to this recipient."""
    documents = {
        Channel.SMS: {"text": LINK},
        Channel.EMAIL: {"subject": "s", "html": '<a href="https://example.net/">'},
    }
    people = (*phones(1), Recipient(email="ada@example.org"))
    made = decided(tracked(content=Content(documents), recipients=people))
    assert [LINK, "https://example.net/"] == [each.url for each in made.links]


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({}, LINK),
        ({"campaign": Campaign("spring")}, f"{LINK}?utm_source=sms&c=spring"),
        ({"origin": "TEST"}, f"{LINK}?utm_source=sms&c=test"),
        ({"origin": "crm"}, LINK),
    ],
)
def test_web_parameters_are_for_tests_and_campaigns(changes: Any, target: str) -> None:
    """And the link is still found by what the text says (C23)."""
    (link,) = decided(tracked(**changes)).links
    assert (LINK, target) == (link.url, link.target)


@pytest.mark.parametrize(("count", "fits"), [(LINKS_MAX, True), (LINKS_MAX + 1, False)])
def test_a_message_has_so_many_links(count: int, fits: bool) -> None:
    """Different ones; a text with more is refused, with its field."""
    text = " ".join(f"https://e.io/{number}" for number in range(count))
    made = decided(tracked(content=Content({Channel.MMS: {"text": text}})))
    assert fits is isinstance(made, Plan)
    if not fits:
        ((index, broken),) = made.found
        assert (None, "mms.text", True) == (index, broken.path, f"at most {LINKS_MAX}" in broken.rule)


@pytest.mark.parametrize(
    ("characters", "fits"), [(LINK_CHARACTERS_MAX, True), (LINK_CHARACTERS_MAX + 1, False)]
)
def test_a_link_has_so_many_characters(characters: int, fits: bool) -> None:
    """With what is added to it."""
    link = LINK + "a" * (characters - len(LINK))
    assert fits is isinstance(decided(tracked(link)), Plan)


@pytest.mark.parametrize(("room", "fits"), [(0, True), (1, False)])
def test_a_text_keeps_its_limit_with_short_links(room: int, fits: bool) -> None:
    """They may be longer than the links that they stand for."""
    text = "https://e.io/ " + "x" * (4_000 - len(short_url(DOMAIN, 0)) - 1 + room)
    asked = tracked(
        content=Content({Channel.PUSH: {"body": text}}), recipients=(Recipient(device_token="t"),)
    )
    assert fits is isinstance(decided(asked), Plan)


def test_a_recipients_values_are_told_apart_from_all() -> None:
    """The refusal names the one whose link is too long."""
    asked = made_of({Channel.SMS: {"text": "$link$"}}, {"link": LINK}, {"link": LINK + "ä" * 600})
    refused = decided(asked)
    assert isinstance(refused, TextsBroken)
    assert [(1, "sms.text")] == [(index, broken.path) for index, broken in refused.found]


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (AccountPolicy(link_domains=("Go.example.org",)), "link_domains[0]"),
        (AccountPolicy(link_domains=("https://go.example.org",)), "link_domains[0]"),
        (AccountPolicy(link_domains=("go.example.org:8080",)), "link_domains[0]"),
        (AccountPolicy(link_domains=("localhost",)), "link_domains[0]"),
        (AccountPolicy(link_domains=("192.0.2.1",)), "link_domains[0]"),
        (AccountPolicy(link_domains=(DOMAIN, DOMAIN)), "link_domains[1]"),
        (AccountPolicy(link_domains=(f"{'a' * 60}.{'a' * 36}.org",)), "link_domains[0]"),
        (
            AccountPolicy(link_domains=tuple(f"a{at}.example" for at in range(LINK_DOMAINS_MAX + 1))),
            "link_domains",
        ),
        (AccountPolicy(track_links=True), "track_links"),
        (AccountPolicy(web_parameters=("utm source=a",)), "web_parameters[0]"),
        (AccountPolicy(web_parameters=("utm_source",)), "web_parameters[0]"),
        (AccountPolicy(web_parameters=("a=1", "a=2")), "web_parameters[1]"),
        (
            AccountPolicy(web_parameters=("a=" + "x" * (WEB_PARAMETER_CHARACTERS_MAX - 1),)),
            "web_parameters[0]",
        ),
        (
            AccountPolicy(web_parameters=tuple(f"a{at}=" for at in range(WEB_PARAMETERS_MAX + 1))),
            "web_parameters",
        ),
    ],
)
def test_a_policy_names_the_field_that_breaks_a_rule(policy: AccountPolicy, field: str) -> None:
    """And no other."""
    assert [field] == [name for name, _ in policy_problems(policy)]


def test_a_policy_may_use_every_limit() -> None:
    """The other side of each."""
    domains = [f"a{at}.example" for at in range(LINK_DOMAINS_MAX)]
    domains[0] = f"{'a' * 60}.{'a' * 35}.org"
    assert LINK_DOMAIN_CHARACTERS_MAX == len(domains[0])
    parameters = [f"a{at}=" for at in range(WEB_PARAMETERS_MAX)]
    parameters[0] = "b=" + "x" * (WEB_PARAMETER_CHARACTERS_MAX - 2)
    given = AccountPolicy(link_domains=tuple(domains), track_links=True, web_parameters=tuple(parameters))
    assert [] == policy_problems(given)
