"""Which links of a submission are shortened, and the code that each message has for each of its links.

Only `plan_links` knows codes. Before it, a text is judged with stand-ins of the same length: so units, limits and
text profiles count what the recipient gets. After it, a message's links are in the store, and what it says is the
stored text with `links.shortened`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from broker.domain.account_policy import AccountPolicy
from broker.domain.link_action import FIELD, URL, actions_of
from broker.domain.links import (
    HTML,
    LINK_CHARACTERS_MAX,
    NO_WISH,
    SHORTENED,
    LinkRule,
    LinkWish,
    hrefs_in,
    is_shortened,
    link_of_href,
    links_of,
    short_url,
    target_of,
    with_parameters,
)
from broker.domain.personalising import TextsBroken, as_said
from broker.domain.saying import RULES, Broken
from broker.domain.submission import Content, Submission
from broker.domain.tokens import Values, escaped, fill
from broker.domain.value import value
from broker.domain.vocabulary import Channel

LINKS_MAX = 100
"""Different links that one message may have."""

TEST_ORIGIN = "test"
"""The `origin` of a message that tries something out, in any case."""

_CAMPAIGN = "{campaign}"


@value
class NewLink:
    """A link of a message that is to be stored. `url` is as the text has it, `target` where it leads."""

    message_id: int
    place: int
    code: int
    domain: str
    url: str
    target: str


@value
class LinksRefused:
    """Why links cannot be shortened as they should be, with the field that asks for it."""

    field: str
    rule: str


def with_link_rule(submission: Submission, policy: AccountPolicy) -> Submission | LinksRefused:
    """The submission with how its links are shortened: by what it says, else its template, else its account's policy.

    To name a domain is to ask for short links.
    """
    wished = (
        submission.track_links or submission.short_link_domain or submission.content.link_wish is not NO_WISH
    )
    if not wished and not policy.track_links:  # as for most: nobody asks for it
        return submission
    own, field = LinkWish(submission.track_links, submission.short_link_domain), "options"
    wish = own
    if own == NO_WISH and submission.content.link_wish != NO_WISH:
        wish, field = submission.content.link_wish, "template"
    elif own.track and not own.domain:
        wish = replace(own, domain=submission.content.link_wish.domain)
    wanted = bool(wish.domain) or policy.track_links if wish.track is None else wish.track
    if not wanted:
        return submission
    domain = wish.domain
    if not policy.link_domains:
        name = "short_link_domain" if domain else "track_links"
        return _refused(field, name, "needs a domain in link_domains of the account's policy")
    if domain and domain not in policy.link_domains:
        return _refused(field, "short_link_domain", "must be one of link_domains of the account's policy")
    rule = LinkRule(domain or policy.link_domains[0], policy.link_domains, _parameters(submission, policy))
    return replace(submission, content=replace(submission.content, links=rule))


def text_as_sent(text: str, policy: AccountPolicy) -> str:
    """A text that somebody only asks about, with stand-ins where the account shortens its links by itself."""
    asked = Submission(0, (), Content({Channel.SMS: {"text": text}}))
    linked = with_link_rule(asked, policy)
    return text if isinstance(linked, LinksRefused) else as_said(linked).content.text_on(Channel.SMS)


def _refused(field: str, name: str, rule: str) -> LinksRefused:
    """A template's own wishes are no fields of the request that names it."""
    return (
        LinksRefused("template", f"its {name} {rule}")
        if field == "template"
        else LinksRefused(f"{field}.{name}", rule)
    )


def _parameters(submission: Submission, policy: AccountPolicy) -> tuple[tuple[str, str], ...]:
    """What is added to links of test and campaign messages, and to no others."""
    campaign = submission.campaign
    if campaign is None and submission.origin.lower() != TEST_ORIGIN:
        return ()
    named = campaign.id if campaign is not None else TEST_ORIGIN
    pairs = (each.partition("=") for each in policy.web_parameters)
    return tuple((name, given.replace(_CAMPAIGN, named)) for name, _, given in pairs)


@value
class Addressed:
    """A planned message as its links need it, with each channel that it may take. `tokens` are its recipient's own."""

    message_id: int
    recipient_index: int
    channels: tuple[Channel, ...]
    tokens: Values | None


def plan_links(
    submission: Submission, messages: Sequence[Addressed], draw: Callable[[], int]
) -> tuple[NewLink, ...] | TextsBroken:
    """A code for each link of each message, in the order of its text; or what is wrong with the links."""
    content, rule = submission.content, submission.content.links
    if rule is None:
        return ()
    written: dict[Channel, tuple[_Written, ...]] = {}
    alike: dict[Channel, _Found] = {}
    found: list[NewLink] = []
    broken: dict[tuple[int | None, Broken], None] = {}
    for message in messages:
        targets: dict[str, str] = {}
        for channel in message.channels:
            if channel not in written:
                written[channel] = tuple(_written(channel, content))
            if content.names:
                values = {**submission.shared_tokens, **(message.tokens or {})}
                links = _Found.in_texts(written[channel], values, rule)
            else:
                if channel not in alike:
                    alike[channel] = _Found.in_texts(written[channel], None, rule)
                links = alike[channel]
            whose = message.recipient_index if content.names else None
            broken |= dict.fromkeys((whose, each) for each in links.broken)
            targets |= links.targets
        found += [
            NewLink(message.message_id, place, draw(), rule.domain, url, target)
            for place, (url, target) in enumerate(targets.items())
        ]
    return TextsBroken(tuple(broken)) if broken else tuple(found)


@value
class _Written:
    """A text of a content, and the pieces of it that may have links: values do not change where those are."""

    path: str
    field: str
    text: str
    pieces: tuple[str, ...]
    characters_max: int | None


def _written(channel: Channel, content: Content) -> Iterator[_Written]:
    document = content.documents[channel]
    for field in SHORTENED[channel]:
        text = document.get(field)
        if isinstance(text, str):
            pieces = tuple(_pieces(field, text)) if content.names else (text,)
            limit = None if channel is Channel.EMAIL else RULES[channel][field].characters_max
            yield _Written(f"{channel.name.lower()}.{field}", field, text, pieces, limit)
    for at, action in enumerate(actions_of(document)):
        path = f"{channel.name.lower()}.{FIELD}[{at}].{URL}"
        yield _Written(path, URL, action[URL], (action[URL],), None)


def _pieces(field: str, text: str) -> Iterator[str]:
    """The values of `href` as they are written, and of plain text the words that may become links."""
    if field == HTML:
        yield from (text[start:end] for start, end in hrefs_in(text))
    else:
        yield from (word for word in text.split() if "://" in word or "$" in word)


@value
class _Found:
    """The links of a channel's texts with where they lead, and what is wrong with them."""

    targets: Mapping[str, str]
    broken: tuple[Broken, ...]

    @classmethod
    def in_texts(cls, texts: Sequence[_Written], values: Values | None, rule: LinkRule) -> "_Found":
        targets: dict[str, str] = {}
        broken: list[Broken] = []
        for text in texts:
            for link in _links(text, values):
                target = target_of(link)
                if target is None or not is_shortened(link, rule):
                    continue
                targets[link] = with_parameters(target, rule.parameters)
                if max(len(link), len(targets[link])) > LINK_CHARACTERS_MAX:
                    rule_ = f"has a link that leads to {len(targets[link]):,} characters"
                    broken.append(
                        Broken(text.path, f"{rule_}; at most {LINK_CHARACTERS_MAX:,} are shortened")
                    )
            if (problem := _too_long(text, values, rule)) is not None:
                broken.append(Broken(text.path, problem))
        if len(targets) > LINKS_MAX:
            rule_ = f"has {len(targets)} links; at most {LINKS_MAX} of a message are shortened"
            broken.append(Broken(texts[-1].path, rule_))
        return cls(targets, tuple(broken))


def _links(text: _Written, values: Values | None) -> Iterator[str]:
    if values is None:
        yield from links_of(text.field, text.text)
    elif text.field == HTML:
        safe = escaped(values)
        links = (link_of_href(fill(piece, safe)) for piece in text.pieces)
        yield from (link for link in links if link is not None)
    else:
        for piece in text.pieces:
            yield from links_of(text.field, fill(piece, values))


def _too_long(text: _Written, values: Values | None, rule: LinkRule) -> str | None:
    """Short links may be longer than the links that they stand for."""
    if text.characters_max is None:
        return None
    said = text.text if values is None else fill(text.text, values)
    stand_in = len(short_url(rule.domain, 0))
    grown = sum(stand_in - len(link) for link in links_of(text.field, said) if is_shortened(link, rule))
    length = len(said) + grown
    if length <= text.characters_max:
        return None
    return f"has {length:,} characters with short links; at most {text.characters_max:,} are allowed"
