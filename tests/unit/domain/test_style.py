"""Style classes: what goes around the HTML of an email."""

from typing import Any

import pytest

from broker.domain.fingerprint import fingerprint
from broker.domain.grounds import Grounds
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.saying import filled, names_of
from broker.domain.style import StyleRefused
from broker.domain.submission import Content, Recipient, Submission
from broker.domain.vocabulary import Channel
from broker.testing.builders import NOW_US, IdCounter, everywhere, sms, submission

CLASSES = {"shop": "<div style='width: $5'>$Body$ $$ $name$</div>", "upstream": ""}
MAIL = {"subject": "Hi", "html": "<p>Hello</p>", "text": "Hello", "style_class": "shop"}


def asked(own: dict[str, str] | None = None, **changes: Any) -> Submission:
    """An email, with some of its fields changed; None leaves one out."""
    document = {name: said for name, said in (MAIL | changes).items() if said is not None}
    documents: dict[Channel, Any] = {Channel.EMAIL: document}
    recipient = Recipient(email="ada@example.org", tokens=own)
    content = Content(documents, names_of(documents))
    return submission(recipients=(recipient,), content=content, request_id="r1")


def decided(given: Submission) -> Any:
    """What planning makes of it."""
    ids = IdCounter().take(2)
    return plan(given, ids, Grounds(NOW_US, 10, everywhere, style_classes=CLASSES))


def html_of(given: Submission) -> Any:
    """The HTML that the recipient gets."""
    made = decided(given)
    assert isinstance(made, Plan), made
    return made.submission.content.documents[Channel.EMAIL]


def test_the_html_stands_where_the_wrapper_says() -> None:
    """All else of the wrapper is meant as it stands, and the class is done with."""
    document = html_of(asked())
    assert "<div style='width: $5'><p>Hello</p> $$ $name$</div>" == document["html"]
    assert ("Hello", False) == (document["text"], "style_class" in document)


def test_a_wrapper_holds_no_placeholders_of_the_content() -> None:
    """Also around a content that has some; what a value holds does not matter either."""
    given = asked({"name": "$Body$ <Ada>"}, html="<p>$name$ $$</p>")
    made = decided(given)
    (message,) = made.messages
    document = filled(Channel.EMAIL, made.submission.content.documents[Channel.EMAIL], message.tokens)
    assert "<div style='width: $5'><p>$Body$ &lt;Ada&gt; $</p> $$ $name$</div>" == document["html"]


def test_a_class_that_a_provider_knows_stays() -> None:
    """Nothing is put around it here."""
    document = html_of(asked(style_class="upstream"))
    assert ("upstream", "<p>Hello</p>") == (document["style_class"], document["html"])


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"style_class": "Shop"}, "no style class of this broker has this name"),
        ({"html": None}, "goes around html, and there is none"),
    ],
)
def test_a_class_that_cannot_be_used_refuses_the_call(changes: dict[str, Any], rule: str) -> None:
    """It is not dropped."""
    assert StyleRefused(rule) == decided(asked(**changes))


def test_the_request_is_the_same_whatever_its_class_looks_like() -> None:
    """An operator who changes a wrapper makes no repetition another request."""
    given = asked()
    assert fingerprint(given) == decided(given).fingerprint


def test_who_says_nothing_by_email_has_no_style() -> None:
    """Nor an email without a class."""
    for given in (submission(content=sms("Hi")), asked(style_class=None)):
        assert given.content == decided(given).submission.content
