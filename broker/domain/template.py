"""Templates: which locale a message gets, and what becomes of a submission that names a template."""

from collections.abc import Mapping
from dataclasses import replace

from broker.domain.links import NO_WISH, LinkWish
from broker.domain.parameter import Parameter
from broker.domain.saying import Document, filled_all, names_of
from broker.domain.submission import NO_TOKENS, Content, Submission, TemplateRef, TemplateUsed
from broker.domain.tokens import Values
from broker.domain.value import value
from broker.domain.vocabulary import Channel

VERSIONS_MAX = 1_000
"""Versions of one template."""


@value
class Edition:
    """All that one version says: a content, as it was written, by locale; and whether its links are shortened."""

    description: str
    default_locale: str
    locales: Mapping[str, Mapping[Channel, Document]]
    parameters: tuple[Parameter, ...] = ()
    link_wish: LinkWish = NO_WISH


@value
class Template:
    """One version of a template. Times are microseconds since 1970 UTC."""

    template_id: int
    account_id: int
    project: str
    name: str
    version: int
    latest_version: int
    created_at_us: int
    updated_at_us: int
    edition: Edition


@value
class Misuse:
    """A rule that a submission breaks by what it gives to its template; `field` is a path from the request."""

    field: str
    rule: str


def pick_locale(edition: Edition, wanted: str) -> str:
    """The tag of the content for a wish: it itself, else ever less of it, else the default.

    "zh-Hant-TW" is looked for as that, as "zh-Hant" and as "zh" (RFC 4647, 3.4); case does not count.
    """
    tags = {tag.lower(): tag for tag in edition.locales}
    subtags = wanted.lower().split("-")
    while subtags:
        if found := tags.get("-".join(subtags)):
            return found
        subtags.pop()
        if subtags and len(subtags[-1]) == 1:  # a singleton goes with what it introduces
            subtags.pop()
    return edition.default_locale


def apply_template(submission: Submission, template: Template) -> Submission | list[Misuse]:
    """The submission with the content that its template has for it, or what is wrong with its values.

    A parameter's value is the recipient's own, else the reference's, else the request's token, else the
    default. What a recipient brings is judged later, with the content.
    """
    ref = submission.template
    assert ref is not None
    edition = template.edition
    given = _given(submission, ref, edition)
    misuses = _misuses(ref, submission.tokens or NO_TOKENS, edition)
    locale = pick_locale(edition, ref.locale)
    documents = edition.locales[locale]
    if submission.channels and documents.keys().isdisjoint(submission.channels):
        misuses.append(Misuse("channels", "the template has content for none of them"))
    if misuses:
        return misuses
    used = TemplateUsed(template.project, template.name, template.version, locale)
    return replace(submission, content=_content(edition, documents, given), edition=used)


def _content(edition: Edition, documents: Mapping[Channel, Document], given: Values) -> Content:
    """The content, which asks for every required parameter, also where its texts do without."""
    required = frozenset(each.name for each in edition.parameters if each.required)
    names = names_of(documents) | required
    if not names:
        return Content(filled_all(documents, NO_TOKENS), link_wish=edition.link_wish)
    used = tuple(each for each in edition.parameters if each.name in names)
    shared = {name: said for name, said in given.items() if name in names}
    return Content(documents, names, used, shared, link_wish=edition.link_wish)


def _given(submission: Submission, ref: TemplateRef, edition: Edition) -> Values:
    """The values that all recipients share."""
    defaults = {each.name: each.default for each in edition.parameters if not each.required}
    tokens = submission.tokens or NO_TOKENS
    return {**defaults, **{name: tokens[name] for name in tokens}, **ref.parameters}


def _misuses(ref: TemplateRef, tokens: Values, edition: Edition) -> list[Misuse]:
    parameters = {each.name: each for each in edition.parameters}
    found = []
    for name, said in ref.parameters.items():
        rule = parameters[name].problem(said) if name in parameters else "is no parameter of the template"
        if rule:
            found.append(Misuse(f"template.parameters[{name}]", rule))
    for name, said in tokens.items():
        # Tokens may be for other templates as well, so one that is no parameter is passed over.
        if name in parameters and name not in ref.parameters and (rule := parameters[name].problem(said)):
            found.append(Misuse(f"tokens[{name}]", rule))
    return found
