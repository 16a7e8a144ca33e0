"""Link actions of a text: what fills them in, what refuses them, which routes carry them, and their short links."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from broker.domain.account_policy import AccountPolicy
from broker.domain.explaining import Verdict, judge
from broker.domain.grounds import Grounds
from broker.domain.personalising import TextsBroken, TokensMissing
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.routes import RouteTable
from broker.domain.routing import Carrier, Routing
from broker.domain.saying import filled, has_dollar, names_of
from broker.domain.submission import Content, Submission
from broker.domain.vocabulary import Channel
from broker.testing.builders import NOW_US, IdCounter, everywhere, phones, submission

LINK = "https://example.com/a"
POLICY = AccountPolicy(link_domains=("go.example.org",), track_links=True)


def document(*actions: tuple[str, str], text: str = "Hello") -> dict[Channel, Any]:
    """An SMS with link actions."""
    return {
        Channel.SMS: {"text": text, "link_actions": [{"text": said, "url": url} for said, url in actions]}
    }


def offering(*actions: tuple[str, str], **changes: Any) -> Submission:
    """What is sent with them, to somebody whose values are in `tokens`."""
    documents = document(*actions)
    return submission(content=Content(documents, names_of(documents)), **changes)


def decided(asked: Submission, policy: AccountPolicy = AccountPolicy()) -> Any:  # noqa: B008 - a value
    """What planning makes of it; codes count up from 1."""
    codes = itertools.count(1)
    ids = IdCounter().take(1 + len(asked.recipients))
    return plan(asked, ids, Grounds(NOW_US, 10, everywhere, policy=policy, draw_code=lambda: next(codes)))


def test_placeholders_of_actions_are_those_of_the_content() -> None:
    """In what they say and in where they lead; each is filled in, and two dollars are one."""
    documents = document(("Hi $name$", f"{LINK}?id=$id$"), ("$$5", LINK))
    assert (True, frozenset({"name", "id"})) == (has_dollar(documents), names_of(documents))
    said = filled(Channel.SMS, documents[Channel.SMS], {"name": "Ada", "id": "7"})
    assert document(("Hi Ada", f"{LINK}?id=7"), ("$5", LINK))[Channel.SMS] == said
    assert not has_dollar(document(("Go", LINK)))


def test_a_missing_value_refuses_the_request() -> None:
    """As in any text."""
    assert TokensMissing(((0, ("id",)),)) == decided(offering(("Go", f"{LINK}?id=$id$")))


@pytest.mark.parametrize(
    ("action", "value", "path"),
    [
        (("$v$", LINK), "", "text"),
        (("$v$", LINK), "t" * 65, "text"),
        (("$v$", LINK), "two\nlines", "text"),
        (("Go", "$v$"), "tel:5", "url"),
        (("Go", "$v$"), "https://example.com/a b", "url"),
        (("Go", f"{LINK}$v$"), "x" * 2_028, "url"),
        (("Go", "$v$"), "", "url"),
    ],
)
def test_what_values_make_of_an_action_keeps_its_rules(
    action: tuple[str, str], value: str, path: str
) -> None:
    """Or the request is refused, with the action and the field."""
    recipients = (replace(phones(1)[0], tokens={"v": value}),)
    answer = decided(offering(("Go", LINK), action, recipients=recipients))
    assert isinstance(answer, TextsBroken)
    assert [(0, f"sms.link_actions[1].{path}")] == [(index, each.path) for index, each in answer.found]


def test_an_action_at_its_limits_passes() -> None:
    """Filled in."""
    tokens = {"a": "t" * 64, "b": "x" * (2_048 - len(LINK))}
    answer = decided(offering(("$a$", f"{LINK}$b$"), tokens=tokens))
    assert isinstance(answer, Plan)


def test_an_action_is_no_part_of_the_units() -> None:
    """They are those of the text."""
    answer = decided(offering(*[("Go" * 32, LINK)] * 10))
    assert 1 == answer.messages[0].result.units


def test_urls_of_actions_get_short_links() -> None:
    """One code for a link, however often it is there; an account's own links stay."""
    own = "https://go.example.org/abc"
    answer = decided(offering(("Go", LINK), ("Again", LINK), ("Other", f"{LINK}b"), ("Own", own)), POLICY)
    assert [(0, LINK), (1, f"{LINK}b")] == [(each.place, each.url) for each in answer.links]


def test_routes_that_cannot_show_actions_are_not_used() -> None:
    """Explain says why; a text without actions may go there."""
    carriers = [
        Carrier("plain", frozenset({Channel.SMS}), content=frozenset({"sms.text"})),
        Carrier("rich", frozenset({Channel.SMS}), content=frozenset({"sms.text", "sms.link_actions"})),
        Carrier("any", frozenset({Channel.SMS})),
    ]
    routing = Routing(RouteTable(0, ()), carriers)
    asked = offering(("Go", LINK))
    found = routing.find(asked, Channel.SMS, "+447700900123", 1)
    assert ("rich", "any") == found
    judged = {
        each.route.provider: each for each in judge(routing, asked, Channel.SMS, "+447700900123", found)
    }
    assert (Verdict.CONTENT_UNSUPPORTED, "the provider does not honour sms.link_actions") == (
        judged["plain"].verdict,
        judged["plain"].detail,
    )
    assert ("plain", "rich", "any") == routing.find(submission(), Channel.SMS, "+447700900123", 1)
