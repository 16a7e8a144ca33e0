"""Templates: which locale somebody gets, which value a parameter has, and what misuses one."""

from typing import Any

import pytest

from broker.domain.grounds import Grounds
from broker.domain.parameter import Parameter, ParameterType
from broker.domain.personalising import TokensMissing, ValuesMisfit
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.submission import Content, Recipient, Submission, TemplateRef, TemplateUsed
from broker.domain.template import Edition, Misuse, Template, apply_template, pick_locale
from broker.domain.vocabulary import Channel
from broker.testing.builders import NOW_US, IdCounter, everywhere, phones, submission

PARAMETERS = (
    Parameter("name", required=True),
    Parameter("amount", ParameterType.NUMBER, default="0"),
    Parameter("note"),
    Parameter("colour", ParameterType.CHOICE, choices=("red", "green"), default="red"),
)
SAID: dict[Channel, Any] = {Channel.SMS: {"text": "$name$: $amount$ $$ $note$$colour$"}}


def edition(**changes: Any) -> Edition:
    """A version that greets in English."""
    fields = {"description": "", "default_locale": "en", "locales": {"en": SAID}, "parameters": PARAMETERS}
    return Edition(**(fields | changes))


def template(**changes: Any) -> Template:
    """Its third version, which is not the latest."""
    return Template(9, 1, "shop", "bill", 3, 4, NOW_US, NOW_US, edition(**changes))


def asked(*tokens: dict[str, str] | None, ref: dict[str, Any] | None = None, **changes: Any) -> Submission:
    """A submission that names the template."""
    recipients = tuple(Recipient("+447700900123", tokens=own) for own in tokens) or phones(1)
    fields = {
        "content": Content({}),
        "recipients": recipients,
        "template": TemplateRef("shop", "bill", **(ref or {})),
    }
    return submission(**(fields | changes))


def decided(given: Submission, found: Template) -> Any:
    """What planning makes of a submission with its template's content."""
    applied = apply_template(given, found)
    assert isinstance(applied, Submission), applied
    ids = IdCounter().take(1 + len(given.recipients))
    return plan(applied, ids, Grounds(NOW_US, 10, everywhere))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("pt-br", "pt-BR"),
        ("pt", "en"),
        ("zh-Hant-TW", "zh-Hant"),
        ("zh-Hans", "en"),
        ("de-x-private", "de"),
        ("fr-CA", "en"),
    ],
)
def test_a_locale_is_looked_for_with_ever_less_of_it(wanted: str, expected: str) -> None:
    """Then comes the default."""
    locales = dict.fromkeys(("en", "de", "pt-BR", "zh-Hant"), SAID)
    assert expected == pick_locale(edition(locales=locales), wanted)


def test_values_come_from_the_nearest_that_has_them() -> None:
    """Recipient, reference, request, default; an optional one without any is empty."""
    given = asked(
        {"name": "Ada", "amount": "3"},
        {"name": "Bob"},
        ref={"parameters": {"amount": "2"}},
        tokens={"amount": "1", "colour": "green", "other": "x"},
    )
    applied = apply_template(given, template())
    assert isinstance(applied, Submission)
    assert {"amount": "2", "note": "", "colour": "green"} == applied.content.shared
    made = decided(given, template())
    assert isinstance(made, Plan)
    assert [{"name": "Ada", "amount": "3"}, {"name": "Bob"}] == [each.tokens for each in made.messages]
    assert TemplateUsed("shop", "bill", 3, "en") == made.submission.edition


def test_what_all_get_is_filled_in_once() -> None:
    """A dollar is a dollar."""
    made = decided(asked(None, ref={"parameters": {"name": "you"}}), template())
    assert {Channel.SMS: {"text": "you: 0 $ red"}} == made.submission.content.documents


def test_a_template_without_placeholders_is_ready() -> None:
    """Its doubled dollars are single ones."""
    plain = template(locales={"en": {Channel.SMS: {"text": "$$5"}}}, parameters=())
    assert {Channel.SMS: {"text": "$5"}} == decided(asked(), plain).submission.content.documents


def test_a_required_parameter_needs_a_value_also_where_no_text_uses_it() -> None:
    """It is named, with each recipient that lacks it."""
    unused = template(locales={"en": {Channel.SMS: {"text": "Hi"}}})
    assert TokensMissing(((1, ("name",)),)) == decided(asked({"name": "Ada"}, {}), unused)
    assert isinstance(decided(asked({"name": "Ada"}, {"name": ""}), unused), Plan)


def test_a_recipients_value_has_its_parameters_type() -> None:
    """Wherever it comes from; values that the content does not ask for are passed over."""
    given = asked({"name": "Ada", "amount": "1"}, {"name": "Bob", "amount": "x", "other": "x"})
    expected = ValuesMisfit(((1, "amount", 'must be a number, as "-12.50"'),))
    assert expected == decided(given, template())


@pytest.mark.parametrize(
    ("changes", "misuse"),
    [
        (
            {"ref": {"parameters": {"nmae": "x"}}},
            ("template.parameters[nmae]", "is no parameter of the template"),
        ),
        (
            {"ref": {"parameters": {"amount": "x"}}},
            ("template.parameters[amount]", 'must be a number, as "-12.50"'),
        ),
        ({"tokens": {"amount": "x"}}, ("tokens[amount]", 'must be a number, as "-12.50"')),
        (
            {"channels": (Channel.EMAIL, Channel.PUSH)},
            ("channels", "the template has content for none of them"),
        ),
    ],
)
def test_what_misuses_a_template_is_named(changes: dict[str, Any], misuse: tuple[str, str]) -> None:
    """By its field."""
    assert [Misuse(*misuse)] == apply_template(asked(**changes), template())


def test_a_token_that_a_parameter_stands_over_may_be_anything() -> None:
    """It is not used."""
    given = asked(ref={"parameters": {"amount": "1"}}, tokens={"amount": "x"})
    assert isinstance(apply_template(given, template()), Submission)


def test_an_unused_recipient_value_of_a_wrong_type_is_nobodys_business() -> None:
    """The content does not ask for it."""
    short = template(locales={"en": {Channel.SMS: {"text": "$name$"}}})
    assert isinstance(decided(asked({"name": "Ada", "amount": "x"}), short), Plan)
