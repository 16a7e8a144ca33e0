"""What content may say: the rules of its texts, and the texts of each recipient when they are filled in.

A document's texts may hold the placeholders of `domain.tokens`. The rules count for what a recipient gets:
so they are looked at when a content without placeholders comes in, and for each recipient when it has some.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from broker.domain import link_action
from broker.domain.header import unsafe_header
from broker.domain.link_action import actions_of, changed
from broker.domain.links import LINK_CHARACTERS_MAX, is_url
from broker.domain.tokens import Places, Values, escaped, fill, places_in
from broker.domain.value import value
from broker.domain.vocabulary import Channel

TEXT_CHARACTERS_MAX = 10_000
SMS_SUBJECT_CHARACTERS_MAX = 13
MMS_SUBJECT_CHARACTERS_MAX = 255
EMAIL_SUBJECT_CHARACTERS_MAX = 998
PUSH_TITLE_CHARACTERS_MAX = 255
PUSH_BODY_CHARACTERS_MAX = 4_000
PUSH_DATA_BYTES_MAX = 4_096
BODY_CHARACTERS_MAX = 16 * 1024 * 1024
"""Of an email's text or HTML; the largest request is smaller."""

FILLED_BODY_CHARACTERS_MAX = 1_048_576
"""Of an email's text or HTML that has placeholders, as written and filled in."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""C0 and C1 controls, and the two separators that end a line for some readers."""

Document = Mapping[str, object]
Documents = Mapping[Channel, Document]


@value
class TextRule:
    """What a text may be: how long, of one line, empty or not, whether it becomes a header, and whether it is a URL."""

    characters_max: int
    one_line: bool = False
    required: bool = False
    header: bool = False
    html: bool = False
    url: bool = False


RULES: Mapping[Channel, Mapping[str, TextRule]] = {
    Channel.SMS: {
        "text": TextRule(TEXT_CHARACTERS_MAX, required=True),
        "subject": TextRule(SMS_SUBJECT_CHARACTERS_MAX, one_line=True),
    },
    Channel.MMS: {
        "subject": TextRule(MMS_SUBJECT_CHARACTERS_MAX, one_line=True),
        "text": TextRule(TEXT_CHARACTERS_MAX),
    },
    Channel.EMAIL: {
        "subject": TextRule(EMAIL_SUBJECT_CHARACTERS_MAX, one_line=True, required=True, header=True),
        "text": TextRule(BODY_CHARACTERS_MAX),
        "html": TextRule(BODY_CHARACTERS_MAX, html=True),
    },
    Channel.PUSH: {
        "title": TextRule(PUSH_TITLE_CHARACTERS_MAX, one_line=True),
        "body": TextRule(PUSH_BODY_CHARACTERS_MAX, required=True),
    },
    Channel.IN_APP: {"body": TextRule(TEXT_CHARACTERS_MAX, required=True)},
}
"""The texts of each channel's document that may have placeholders; beside them, the values of a push's data."""

_DATA = TextRule(PUSH_DATA_BYTES_MAX)
"""A value of a push's data; what all of them may be is counted in bytes."""

ACTION_RULES: Mapping[str, TextRule] = {
    link_action.TEXT: TextRule(link_action.ACTION_TEXT_CHARACTERS_MAX, one_line=True, required=True),
    link_action.URL: TextRule(LINK_CHARACTERS_MAX, one_line=True, required=True, url=True),
}
"""The texts of a link action."""


@value
class Text:
    """One text of a content, as it was written. `path` names it, as "email.subject" or "push.data.url"."""

    channel: Channel
    path: str
    written: str
    rule: TextRule
    places: Places


@value
class Broken:
    """A rule that a text breaks once it is filled in."""

    path: str
    rule: str


def texts_of(documents: Documents) -> Iterator[Text]:
    """Every text that may have placeholders."""
    for channel, document in documents.items():
        word = channel.name.lower()
        for field, rule in RULES[channel].items():
            written = document.get(field)
            if isinstance(written, str):
                places = places_in(written)
                yield Text(channel, f"{word}.{field}", written, _rule_in(document, rule, places), places)
        for key, written in _data_of(document).items():
            yield Text(channel, f"{word}.data.{key}", written, _DATA, places_in(written))
        for at, action in enumerate(actions_of(document)):
            for field, written in action.items():
                path = f"{word}.{link_action.FIELD}[{at}].{field}"
                yield Text(channel, path, written, ACTION_RULES[field], places_in(written))


def _rule_in(document: Document, rule: TextRule, places: Places) -> TextRule:
    """The rule where it depends on the rest: a body must say something when there is nothing else."""
    if rule.characters_max == BODY_CHARACTERS_MAX and places.counts:
        return replace(rule, characters_max=FILLED_BODY_CHARACTERS_MAX, required=True)
    if not rule.required and not rule.one_line and (not document.get("media") or actions_of(document)):
        return replace(rule, required=True)
    return rule


def has_dollar(documents: Documents) -> bool:
    """Whether any text might have a placeholder; quick, since most have none."""
    for document in documents.values():
        for said in document.values():
            if isinstance(said, str):
                if "$" in said:
                    return True
            elif isinstance(said, dict) and any("$" in each for each in said.values()):
                return True
        if any("$" in each for action in actions_of(document) for each in action.values()):
            return True
    return False


def names_of(documents: Documents) -> frozenset[str]:
    """The names of all placeholders."""
    return frozenset(name for text in texts_of(documents) for name in text.places.counts)


def filled(channel: Channel, document: Document, values: Values, *, bodies: bool = True) -> dict[str, object]:
    """A channel's document with its placeholders replaced. Without `bodies`, those of an email stay as written."""
    rules, out = RULES[channel], {}
    for field, written in document.items():
        rule, said = rules.get(field), written
        if rule is not None and isinstance(written, str):
            if bodies or rule.characters_max < BODY_CHARACTERS_MAX:
                said = fill(written, escaped(values) if rule.html and "$" in written else values)
        elif field == "data" and isinstance(written, dict):
            said = {key: fill(each, values) for key, each in written.items()}
        elif field == link_action.FIELD:
            said = changed(actions_of(document), lambda _, each: fill(each, values))
        if said != "":  # what is empty is absent in a document
            out[field] = said
    return out


def filled_all(documents: Documents, values: Values) -> dict[Channel, Document]:
    """All of it with the placeholders replaced."""
    return {channel: filled(channel, document, values) for channel, document in documents.items()}


def broken_rules(texts: Sequence[Text], values: Values) -> list[Broken]:
    """Which rules the texts break with these values, without making a long one."""
    broken = [Broken(text.path, rule) for text in texts for rule in _broken_rules(text, values)]
    size = sum(
        len(text.path.removeprefix("push.data.").encode()) + len(fill(text.written, values).encode())
        for text in texts
        if text.rule is _DATA and _length(text, values) <= PUSH_DATA_BYTES_MAX
    )
    if size > PUSH_DATA_BYTES_MAX:
        broken.append(Broken("push.data", f"has {size:,} bytes; at most {PUSH_DATA_BYTES_MAX:,} are allowed"))
    return broken


def _broken_rules(text: Text, values: Values) -> Iterator[str]:
    length, rule = _length(text, values), text.rule
    if length > rule.characters_max:
        yield f"has {length:,} characters; at most {rule.characters_max:,} are allowed"
        return
    if rule.required and not length:
        yield "must not be empty"
    if rule.one_line:
        said = fill(text.written, values)
        if CONTROL.search(said):
            yield "must not contain control characters"
        elif rule.url and said and not is_url(said):
            yield "must be an http or https URL"
        elif rule.header and (problem := unsafe_header(said)):
            yield problem


def _length(text: Text, values: Values) -> int:
    return text.places.filled_length(escaped(values) if text.rule.html else values)


def _data_of(document: Document) -> Mapping[str, str]:
    data = document.get("data")
    return data if isinstance(data, dict) else {}
