"""Contents with placeholders: what each recipient is told, and what refuses the whole submission."""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.directory import Card, Contact
from broker.domain.encoding import Encoding
from broker.domain.grounds import Grounds
from broker.domain.personalising import TextsBroken, TokensMissing, TooManyUnits
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.reaching import Reached
from broker.domain.saying import Broken, filled, names_of
from broker.domain.submission import Content, Recipient, Submission
from broker.domain.vocabulary import Channel, Reason
from broker.testing.builders import NOW_US, PROVIDER, IdCounter, everywhere, planned, submission

NUMBER = "+447700900123"


def content(**documents: dict[str, object]) -> Content:
    """Content with the names of its placeholders."""
    by_channel = {Channel[name.upper()]: document for name, document in documents.items()}
    return Content(by_channel, names_of(by_channel))


def people(*tokens: dict[str, str] | None) -> tuple[Recipient, ...]:
    """A recipient for each."""
    return tuple(
        Recipient(f"+44770090{number:04d}", email="ada@example.org", tokens=own)
        for number, own in enumerate(tokens)
    )


def asked(*tokens: dict[str, str] | None, **changes: Any) -> Submission:
    """A greeting by name, to recipients with these values."""
    fields = {"content": content(sms={"text": "Hi $name$ of $shop$"}), "recipients": people(*tokens)}
    return submission(**(fields | changes))


def decided(given: Submission, *, units_max: int = 10, find: Any = everywhere) -> Any:
    """What planning makes of it."""
    ids = IdCounter().take(1 + len(given.recipients))
    return plan(given, ids, Grounds(NOW_US, units_max, find))


def test_each_recipient_is_measured_with_its_own_text() -> None:
    """Encoding, units and warnings are those of what it gets."""
    made = planned(asked({"name": "Ada"}, {"name": "Ж" * 70}, tokens={"shop": "Acme"}))
    first, second = (message.result for message in made.messages)
    assert (Encoding.GSM7, 1, ()) == (first.encoding, first.units, first.warnings)
    assert (Encoding.UCS2, 2, ("encoded as UCS-2: 2 parts",)) == (
        second.encoding,
        second.units,
        second.warnings,
    )


def test_messages_keep_their_own_values_and_the_submission_what_is_shared() -> None:
    """Only those that the content uses; the content stays as it was written."""
    given = asked(
        {"name": "Ada", "unused": "x"}, {"name": "Bob", "shop": "Own"}, tokens={"shop": "Acme", "more": "y"}
    )
    made = planned(given)
    assert [{"name": "Ada"}, {"name": "Bob", "shop": "Own"}] == [each.tokens for each in made.messages]
    assert given.content == made.submission.content


def test_what_all_are_told_alike_is_filled_in_once() -> None:
    """When nobody has values of its own that matter."""
    made = planned(asked(None, {"unused": "x"}, tokens={"name": "you", "shop": "$$"}))
    assert Content({Channel.SMS: {"text": "Hi you of $$"}}) == made.submission.content
    assert [None, None] == [each.tokens for each in made.messages]


def test_a_content_without_placeholders_needs_no_values() -> None:
    """It is kept as it is, whatever values come along."""
    plain = Content({Channel.SMS: {"text": "Hi"}})
    made = planned(asked({"name": "Ada"}, content=plain, tokens={"shop": "Acme"}))
    assert plain is made.submission.content
    assert made.messages[0].tokens is None


def test_a_missing_value_refuses_everything_and_names_who_lacks_what() -> None:
    """Whether or not the recipient could be reached."""
    given = asked({"name": "Ada"}, {}, None, {"shop": "Own"})
    given = replace(given, recipients=(*given.recipients, Recipient("no number", tokens={"name": "Eve"})))
    expected = ((0, ("shop",)), (1, ("name", "shop")), (2, ("name", "shop")), (3, ("name",)), (4, ("shop",)))
    assert TokensMissing(expected) == decided(given)


def test_every_channels_placeholders_need_values() -> None:
    """Any of them may be the one that is used."""
    both = content(sms={"text": "Hi"}, email={"subject": "$a$", "html": "$b$", "text": "$c$"})
    assert TokensMissing(((0, ("a", "b", "c")),)) == decided(asked({}, content=both))


def test_too_long_a_text_names_its_recipient() -> None:
    """And passes for a recipient with a shorter value."""
    given = asked({"name": "Ada"}, {"name": "x" * 160}, tokens={"shop": "Acme"})
    assert TooManyUnits(2, 1, 1) == decided(given, units_max=1)
    assert isinstance(decided(given, units_max=2), Plan)
    alike = asked(None, None, tokens={"name": "x" * 160, "shop": "Acme"})
    assert TooManyUnits(2, 1) == decided(alike, units_max=1)


def contact(
    *, recipient: int = 0, reason: Reason | None = None, asked: Any = None, **properties: str
) -> Reached:
    """Somebody of the directory who is reached by phone."""
    card = Card(phone_numbers=(NUMBER,), properties=properties)
    person = Contact(7, 1, 1, NOW_US, NOW_US, card)
    return Reached(recipient, Recipient(NUMBER), person, asked or person, reason)


def test_a_contacts_properties_are_values_of_its_own() -> None:
    """Over those for all, and under what the caller says of the recipient."""
    given = asked({"shop": "Own"}, tokens={"name": "you", "shop": "Acme"})
    made = planned(given, people=[contact(name="Ada", shop="Corner", other="x")])
    assert [{"name": "Ada", "shop": "Own"}] == [each.tokens for each in made.messages]


def test_who_stands_in_for_a_contact_is_told_of_that_contact() -> None:
    """A guardian gets the pupil's name."""
    pupil = Contact(8, 1, 1, NOW_US, NOW_US, Card(properties={"name": "the pupil"}))
    people = [contact(asked=pupil, name="mother"), contact(asked=pupil, name="father")]
    made = planned(asked(None, tokens={"shop": "School"}), [1, 2, 3], people=people)
    assert [{"name": "the pupil"}] * 2 == [each.tokens for each in made.messages]


def test_whom_nobody_reaches_needs_no_values() -> None:
    """An unknown contact is that recipient's own refusal."""
    people = [contact(name="Ada"), contact(recipient=1, reason=Reason.CONTACT_NOT_FOUND)]
    made = planned(asked(None, None, tokens={"shop": "Acme"}), people=people)
    assert [None, Reason.CONTACT_NOT_FOUND] == [each.result.reason for each in made.messages]
    assert [{"name": "Ada"}, None] == [each.tokens for each in made.messages]
    alone = planned(asked(None), people=[contact(reason=Reason.CONTACT_NOT_FOUND)])
    assert Reason.CONTACT_NOT_FOUND is alone.messages[0].result.reason


def test_a_contact_without_a_value_refuses_the_call() -> None:
    """By the recipient that names it."""
    given = asked(None, None, tokens={"shop": "Acme"})
    people = [contact(name="Ada"), contact(recipient=1), contact(recipient=1)]
    ids = IdCounter().take(4)
    found = plan(given, ids, Grounds(NOW_US, 10, everywhere), people)
    assert TokensMissing(((1, ("name",)),)) == found


def test_routes_are_asked_with_what_the_recipient_gets() -> None:
    """A provider may take some texts only."""
    seen = []

    def find(given: Submission, _channel: Channel, _address: str, _message_id: int) -> tuple[str, ...]:
        seen.append(given.content.documents[Channel.SMS]["text"])
        return (PROVIDER,)

    decided(asked({"name": "Ada"}, {"name": "Bob"}, tokens={"shop": "Acme"}), find=find)
    assert ["Hi Ada of Acme", "Hi Bob of Acme"] == seen


FULL: dict[str, dict[str, object]] = {
    "sms": {"text": "$v$", "subject": "$v$"},
    "mms": {"subject": "$v$", "text": "$v$", "media": [{"url": "https://example.org/$v$"}]},
    "email": {
        "subject": "$v$",
        "text": "$v$",
        "html": "<b title='$v$'>$v$</b>",
        "from_name": "$v$",
        "style_class": "$v$",
        "attachments": [{"file_name": "$v$"}],
    },
    "push": {"title": "$v$", "body": "$v$", "data": {"$v$": "$v$"}},
    "in_app": {"body": "$v$"},
}


def test_every_text_is_filled_in_and_nothing_else() -> None:
    """Names, addresses and files are no texts; in HTML the value is escaped."""
    said = {name: filled(Channel[name.upper()], document, {"v": "<'$$>"}) for name, document in FULL.items()}
    assert {
        "sms": {"text": "<'$$>", "subject": "<'$$>"},
        "mms": {"subject": "<'$$>", "text": "<'$$>", "media": FULL["mms"]["media"]},
        "email": {
            "subject": "<'$$>",
            "text": "<'$$>",
            "html": "<b title='&lt;&#x27;$$&gt;'>&lt;&#x27;$$&gt;</b>",
            "from_name": "$v$",
            "style_class": "$v$",
            "attachments": [{"file_name": "$v$"}],
        },
        "push": {"title": "<'$$>", "body": "<'$$>", "data": {"$v$": "<'$$>"}},
        "in_app": {"body": "<'$$>"},
    } == said


def test_a_text_that_a_value_empties_is_absent() -> None:
    """As one that was never given."""
    assert {"text": "a"} == filled(Channel.SMS, {"text": "a", "subject": "$v$"}, {"v": ""})


LIMITS = [
    ("sms", "text", 10_000),
    ("sms", "subject", 13),
    ("mms", "subject", 255),
    ("mms", "text", 10_000),
    ("email", "subject", 998),
    ("push", "title", 255),
    ("push", "body", 4_000),
    ("in_app", "body", 10_000),
    ("email", "text", 1_048_576),
    ("email", "html", 1_048_576),
]
WHOLE: dict[str, dict[str, object]] = {
    "sms": {"text": "a"},
    "mms": {"text": "a"},
    "email": {"subject": "a", "text": "a"},
    "push": {"body": "a"},
    "in_app": {"body": "a"},
}


@pytest.mark.parametrize(("channel", "field", "characters_max"), LIMITS)
def test_a_filled_text_has_the_limit_of_its_field(channel: str, field: str, characters_max: int) -> None:
    """At the limit it passes; above it the recipient is named. A long one is never made."""
    times, rest = divmod(characters_max, 2_000)
    text = "$v$" * times + "r" * rest + "$w$"
    given = content(**{channel: {**WHOLE[channel], field: text}})
    fits, over = {"v": "x" * 2_000, "w": ""}, {"v": "x" * 2_000, "w": "y"}
    assert isinstance(decided(asked(fits, content=given), units_max=255), Plan)
    rule = f"has {characters_max + 1:,} characters; at most {characters_max:,} are allowed"
    expected = TextsBroken(((1, Broken(f"{channel}.{field}", rule)),))
    assert expected == decided(asked(fits, over, content=given), units_max=255)


def test_html_is_measured_with_its_values_escaped() -> None:
    """An ampersand is five characters there."""
    given = content(email={"subject": "a", "html": "$v$" * 1_048})
    assert isinstance(decided(asked({"v": "a" * 1_000}, content=given)), Plan)
    found = decided(asked({"v": "&" * 1_000}, content=given))
    rule = "has 5,240,000 characters; at most 1,048,576 are allowed"
    assert TextsBroken(((0, Broken("email.html", rule)),)) == found


def test_a_push_is_measured_in_bytes() -> None:
    """All of its data together."""
    given = content(push={"body": "a", "data": {"k": "$v$", "l": "ä"}})
    assert isinstance(decided(asked({"v": "ä" * 1_000 + "a" * 1_000}, content=given)), Plan)
    two = content(push={"body": "a", "data": {"k": "$v$", "l": "$v$ä"}})
    assert isinstance(decided(asked({"v": "ä" * 1_023}, content=two)), Plan)
    rule = "has 4,100 bytes; at most 4,096 are allowed"
    assert TextsBroken(((0, Broken("push.data", rule)),)) == decided(asked({"v": "ä" * 1_024}, content=two))


@pytest.mark.parametrize(
    ("channel", "field"), [("sms", "subject"), ("mms", "subject"), ("email", "subject"), ("push", "title")]
)
@pytest.mark.parametrize("value", ["a\r\nBcc: x", "\x00", "\u2028"])
def test_a_value_brings_no_line_into_a_line(channel: str, field: str, value: str) -> None:
    """It would forge a header."""
    given = content(**{channel: {**WHOLE[channel], field: "$v$"}})
    expected = TextsBroken(((0, Broken(f"{channel}.{field}", "must not contain control characters")),))
    assert expected == decided(asked({"v": value}, content=given))
    assert isinstance(decided(asked({"v": "a b"}, content=given)), Plan)


def test_values_cannot_make_an_encoded_word_that_hides_a_line() -> None:
    """Not even together."""
    given = content(email={"subject": "=?utf-8?q?$a$=0$b$?=", "text": "a"})
    assert isinstance(decided(asked({"a": "x", "b": "9"}, content=given)), Plan)
    (broken,) = decided(asked({"a": "x", "b": "A"}, content=given)).found
    assert (0, "email.subject") == (broken[0], broken[1].path)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"sms": {"text": "$v$"}}, "sms.text"),
        ({"mms": {"text": "$v$"}}, "mms.text"),
        ({"email": {"subject": "$v$", "text": "a"}}, "email.subject"),
        ({"email": {"subject": "a", "text": "$v$"}}, "email.text"),
        ({"email": {"subject": "a", "html": "$v$"}}, "email.html"),
        ({"push": {"body": "$v$"}}, "push.body"),
        ({"in_app": {"body": "$v$"}}, "in_app.body"),
    ],
)
def test_a_text_that_must_be_there_is_not_emptied(document: dict[str, Any], path: str) -> None:
    """An optional one may be."""
    given = content(**document)
    found = decided(asked({"v": ""}, content=given))
    assert TextsBroken(((0, Broken(path, "must not be empty")),)) == found
    shared = decided(asked(None, content=given, tokens={"v": ""}))
    assert TextsBroken(((None, Broken(path, "must not be empty")),)) == shared


def test_an_optional_text_may_be_emptied() -> None:
    """Subjects of SMS and MMS, the text beside media, a title."""
    given = content(
        sms={"text": "a", "subject": "$v$"},
        mms={"text": "$v$", "subject": "$v$", "media": [{"url": "https://example.org"}]},
        push={"title": "$v$", "body": "a"},
    )
    assert isinstance(decided(asked({"v": ""}, content=given)), Plan)
