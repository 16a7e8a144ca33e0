"""Whom a submission says what: its content with the values of each person, or why that cannot be."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from broker.domain.encoding import Measure, measure
from broker.domain.links import stood_in
from broker.domain.parameter import Parameter
from broker.domain.reaching import Reached
from broker.domain.saying import Broken, Text, broken_rules, filled, filled_all, texts_of
from broker.domain.submission import NO_TOKENS, Content, Submission, with_contents
from broker.domain.tokens import Values
from broker.domain.value import value
from broker.domain.vocabulary import Channel

_SMS = Channel.SMS


@value
class Person:
    """Who gets a message: which recipient of the submission, and the values that are this person's own.

    None of them: nobody gets it, whatever it says.
    """

    recipient_index: int
    tokens: Values | None


@value
class Said:
    """What one person is told.

    `submission` has the content filled in, but for the bodies of an email: nothing that is decided depends
    on more than their length, and a hundred of them would be large. `tokens` are the person's own values
    that the content uses; None where nobody is told anything.
    """

    submission: Submission
    text: Measure | None
    tokens: Mapping[str, str] | None


@value
class TokensMissing:
    """Placeholders without a value: their names, for each recipient that lacks any."""

    missing: tuple[tuple[int, tuple[str, ...]], ...]


@value
class TextsBroken:
    """Rules that texts break once they are filled in; without a recipient where all get the same."""

    found: tuple[tuple[int | None, Broken], ...]


@value
class TooManyUnits:
    """The text needs more parts than the account allows; without a recipient where all get the same."""

    needed: int
    allowed: int
    recipient_index: int | None = None


@value
class ValuesMisfit:
    """Values that do not fit the template's parameters: the recipient, the name, and the rule."""

    found: tuple[tuple[int, str, str], ...]


Refused = TokensMissing | ValuesMisfit | TextsBroken | TooManyUnits
"""Why a submission is refused as a whole."""


def persons(submission: Submission, people: Sequence[Reached] | None) -> list[Person]:
    """Who gets the messages of a submission that reaches these people of the directory, or its recipients.

    What the caller says of a recipient comes before the properties of the contact that it names. Those who
    stand in for a contact are told of that contact.
    """
    recipients = submission.recipients
    if people is None:
        return [Person(index, each.tokens or NO_TOKENS) for index, each in enumerate(recipients)]
    return [
        Person(
            one.recipient_index,
            None if one.reason is not None else _own(recipients[one.recipient_index].tokens, one),
        )
        for one in people
    ]


def _own(given: Values | None, one: Reached) -> Values:
    known = NO_TOKENS if one.asked is None else one.asked.card.properties
    return {**known, **given} if given else known


def personalise(
    submission: Submission, people: Sequence[Person], units_max: int
) -> Submission | list[Said] | Refused:
    """Fill in a content that has placeholders.

    The answer is the submission with a content for all when nobody has values of their own that matter, else
    what each of the people is told, in their order.
    """
    names, shared = submission.content.names, submission.shared_tokens
    own = [_used(names, person.tokens) for person in people]
    if missing := _missing(people, own, names - shared.keys()):
        return TokensMissing(missing)
    if misfits := _misfits(submission.content.parameters, people, own):
        return ValuesMisfit(misfits)
    texts = list(texts_of(submission.content.documents))
    if not any(own) and names <= shared.keys():
        if broken := broken_rules(texts, shared):
            return TextsBroken(tuple((None, each) for each in broken))
        content = Content(filled_all(submission.content.documents, shared), links=submission.content.links)
        return replace(submission, content=content)
    return _say_each(submission, people, own, texts, units_max)


def told(submission: Submission, tokens: Values | None) -> Submission:
    """The submission as somebody with these values of their own is told it, as in `Said`.

    Links that are shortened have stand-ins of the same length.
    """
    if tokens is None:
        return submission
    return as_said(
        with_contents(submission)(_said(submission.content, {**submission.shared_tokens, **tokens}))
    )


def _said(content: Content, values: Values) -> Content:
    """A content with these values in it, but for the bodies of an email."""
    documents = content.documents.items()
    return Content(
        {channel: filled(channel, each, values, bodies=False) for channel, each in documents},
        links=content.links,
    )


def as_said(submission: Submission) -> Submission:
    """A submission whose placeholders are filled in, with stand-ins for the links that are shortened."""
    content = submission.content
    if content.links is None:
        return submission
    return replace(submission, content=replace(content, documents=stood_in(content.documents, content.links)))


def _used(names: frozenset[str], tokens: Values | None) -> Values | None:
    return None if tokens is None else {name: tokens[name] for name in names & tokens.keys()}


def _missing(
    people: Sequence[Person], own: Sequence[Values | None], wanted: frozenset[str]
) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """What each recipient lacks of the names that have no value for all."""
    lacking: dict[int, tuple[str, ...]] = {}
    for person, values in zip(people, own, strict=True):
        if values is not None and (names := wanted - values.keys()):
            lacking.setdefault(person.recipient_index, tuple(sorted(names)))
    return tuple(lacking.items())


def _misfits(
    parameters: Sequence[Parameter], people: Sequence[Person], own: Sequence[Values | None]
) -> tuple[tuple[int, str, str], ...]:
    """The values of somebody's own that are not of their parameter's type."""
    if not parameters:
        return ()
    return tuple(
        (person.recipient_index, each.name, rule)
        for person, values in zip(people, own, strict=True)
        for each in parameters
        if values and each.name in values and (rule := each.problem(values[each.name]))
    )


def _say_each(
    submission: Submission,
    people: Sequence[Person],
    own: Sequence[Values | None],
    texts: Sequence[Text],
    units_max: int,
) -> list[Said] | Refused:
    content, shared, with_content = submission.content, submission.shared_tokens, with_contents(submission)
    said: list[Said] = []
    found: list[tuple[int | None, Broken]] = []
    too_long: TooManyUnits | None = None
    for person, values in zip(people, own, strict=True):
        if values is None:
            said.append(Said(submission, None, None))
            continue
        known = {**shared, **values} if shared else values
        if broken := broken_rules(texts, known):
            found += [(person.recipient_index, each) for each in broken]
            continue
        asked = as_said(with_content(_said(content, known)))
        size = measure(asked.content.text_on(_SMS)) if _SMS in asked.content.documents else None
        if size is not None and size.units > units_max and too_long is None:
            too_long = TooManyUnits(size.units, units_max, person.recipient_index)
        said.append(Said(asked, size, values))
    if found:
        return TextsBroken(tuple(found))
    return too_long or said
