r"""Links in texts: where they are, where they lead, and the short ones that stand for them.

A link is what a reader's phone or mail program would make one of: `http://` or `https://`, a host, and all
that follows up to a space, a quotation mark, an angle bracket, an emoji or punctuation of another script.
Punctuation at its end belongs to the sentence, and so does a closing bracket that was not opened within it.
In HTML, links are the `href` of `<a>` and `<area>`; what stands in comments and scripts is none.

A link has one place in a text whoever looks at it: what is found when a message is accepted is found again
when it is handed over. So no text is stored twice; a message keeps a code for each of its links.
"""

import html
import re
import string
from collections.abc import Callable, Iterator, Mapping

import regex  # type: ignore[import-untyped]

from broker.domain.link_action import FIELD, URL, actions_of, changed
from broker.domain.value import value
from broker.domain.vocabulary import Channel

CODE_BITS = 63
CODE_CHARACTERS = 11
"""Enough for 63 bits in base62, and the same for every code: a text's length does not depend on chance."""

LINK_CHARACTERS_MAX = 2_048
"""Of a link as it is written, and of what it leads to."""

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_VALUES = {digit: number for number, digit in enumerate(_DIGITS)}
_CODE = re.compile(r"[0-9A-Za-z]{11}")

Shorten = Callable[[str], str | None]
"""What stands for a link in a text; None: the link itself."""


@value
class LinkRule:
    """How the links of a content are shortened.

    `domain` is the host of the short ones; links to any of `own_domains` stay as they are. `parameters` are
    added to where the links lead.
    """

    domain: str
    own_domains: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


@value
class LinkWish:
    """Whether links are to be shortened, None: as the account's policy says; and on which domain, "": its first."""

    track: bool | None = None
    domain: str = ""


NO_WISH = LinkWish()


def format_code(number: int) -> str:
    """A number of 63 bits as a code."""
    digits = []
    for _ in range(CODE_CHARACTERS):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def parse_code(text: str) -> int | None:
    """The number of a code; None for what is none."""
    if _CODE.fullmatch(text) is None:
        return None
    number = 0
    for digit in text:
        number = number * len(_DIGITS) + _VALUES[digit]
    return number if number < 1 << CODE_BITS else None


def short_url(domain: str, code: int) -> str:
    """The short link of a code."""
    return f"https://{domain}/{format_code(code)}"


_START = re.compile(r"(?<![A-Za-z0-9+-])https?://", re.IGNORECASE)
# Unicode's quotes, brackets and sentence marks end a link, and so do emoji; letters of any script belong to it.
_REST = regex.compile(
    r"""[^\s\p{Cc}\u200b\u2060\ufeff<>"`\\\p{Pi}\p{Pf}\p{So}[[\p{Ps}\p{Pe}\p{Po}]--[\x00-\x7f]]]*+""",
    regex.VERSION1,
)
_OPENING = {")": "(", "]": "[", "}": "{"}
_SENTENCE = ".,:;!?'"


def links_in(text: str) -> Iterator[tuple[int, int]]:
    """Where the links of a plain text begin and end."""
    at = 0
    while (start := _START.search(text, at)) is not None:
        at = _REST.match(text, start.end()).end()
        link = _without_sentence(text[start.start() : at])
        authority, _ = _authority_of(link, start.end() - start.start())
        # "example.com查看": no top-level domain is of two scripts, so the second belongs to the sentence.
        if (mixed := _MIXED_END.search(authority)) is not None:
            link = link[: start.end() - start.start() + mixed.start(1)]
        if target_of(link) is not None:
            at = start.start() + len(link)
            yield start.start(), at


_MIXED_END = re.compile(r"\.[A-Za-z][A-Za-z0-9-]*([^\x00-\x7f][^.:]*)(?::[0-9]*)?$")


def _without_sentence(link: str) -> str:
    """The link without what the sentence around it wrote at its end."""
    surplus = {mark: link.count(mark) - link.count(opening) for mark, opening in _OPENING.items()}
    end = len(link)
    while end:
        last = link[end - 1]
        if last in _OPENING and surplus[last] > 0:
            surplus[last] -= 1
        elif last not in _SENTENCE:
            break
        end -= 1
    return link[:end]


def _authority_of(link: str, start: int) -> tuple[str, str]:
    """The host with what belongs to it, and all after it."""
    end = next((at for at in range(start, len(link)) if link[at] in "/?#"), len(link))
    return link[start:end], link[end:]


_AUTHORITY = re.compile(r"(?:[^@\s]*@)?(\[[0-9A-Fa-f:.]+\]|[^@:\[\]\s]+)(?::([0-9]{0,5}))?")
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
_HOST_CHARACTERS_MAX = 253
_PORT_MAX = 65_535
# What a reader of HTTP may not get raw is percent-encoded, as browsers do; "%" stays, so nothing is encoded twice.
_NOT_IN_A_TARGET = re.compile(r"[^A-Za-z0-9!#$%&'()*+,\-./:;=?@\[\]_~]")
_NOT_IN_A_PARAMETER = re.compile(r"[^A-Za-z0-9\-._~]")


def _encoded(text: str, what: re.Pattern[str]) -> str:
    """The text with some characters percent-encoded; raises UnicodeEncodeError for half a surrogate pair."""
    return what.sub(lambda one: "".join(f"%{octet:02X}" for octet in one[0].encode()), text)


def target_of(link: str) -> str | None:
    """Where a link leads, in ASCII; None where it leads nowhere, as `https://` or `http://a..b`."""
    match = _START.match(link)
    if match is None:
        return None
    authority, rest = _authority_of(link, match.end())
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None or int(parts[2] or 0) > _PORT_MAX:
        return None
    host = _ascii_host(parts[1])
    if host is None:
        return None
    try:
        user = _encoded(authority[: parts.start(1)], _NOT_IN_A_TARGET)
        return match[0] + user + host + authority[parts.end(1) :] + _encoded(rest, _NOT_IN_A_TARGET)
    except UnicodeEncodeError:  # half a surrogate pair
        return None


def is_url(text: str) -> bool:
    """Whether a whole text is an http or https address."""
    return target_of(text) is not None and _SPACE.search(text) is None


_SPACE = re.compile(r"\s")


def _ascii_host(host: str) -> str | None:
    if host.startswith("["):
        return host
    if len(host) > _HOST_CHARACTERS_MAX:
        return None
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    return host if _HOST.fullmatch(host) and len(host) <= _HOST_CHARACTERS_MAX else None


def host_of(link: str) -> str:
    """The host that a target of `target_of` leads to, in lower case and without its port."""
    match = _START.match(link)
    if match is None:
        return ""
    parts = _AUTHORITY.fullmatch(_authority_of(link, match.end())[0])
    return "" if parts is None else parts[1].lower().rstrip(".")


def with_parameters(target: str, parameters: tuple[tuple[str, str], ...]) -> str:
    """A target with parameters after its own and before its fragment; one that it has already stays alone."""
    base, hash_, fragment = target.partition("#")
    _, _, query = base.partition("?")
    present = {each.partition("=")[0] for each in query.split("&")}
    pairs = [(_encoded(name, _NOT_IN_A_PARAMETER), given) for name, given in parameters]
    added = "&".join(
        f"{name}={_encoded(given, _NOT_IN_A_PARAMETER)}" for name, given in pairs if name not in present
    )
    if not added:
        return target
    joint = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return f"{base}{joint}{added}{hash_}{fragment}"


# Each alternative runs to the end of the text where its own end is missing, as browsers read it: so no part of
# the text is looked at twice.
_TAG = re.compile(
    r"""<!--.*?(?:-->|\Z)
      | <(?P<raw>script|style|textarea|title|xmp|noembed|noframes|iframe)(?=[\s/>]).*?(?:</(?P=raw)(?=[\s/>])|\Z)
      | <(?:a|area)(?=[\s/])(?P<attributes>(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z)|[^'">])*+)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""([^\s=/>"']+)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'>]+)))?"""
)
_UNSEEN = str.maketrans("", "", "\t\n\r")


def hrefs_in(text: str) -> Iterator[tuple[int, int]]:
    """Where the values of `href` stand in HTML, between their quotes and as they are written."""
    for tag in _TAG.finditer(text):
        if tag["attributes"] is None:
            continue
        for attribute in _ATTRIBUTE.finditer(text, *tag.span("attributes")):
            if attribute[1].lower() == "href":
                if attribute.lastgroup is not None:
                    yield attribute.span(attribute.lastgroup)
                break


def link_of_href(written: str) -> str | None:
    """The link that an `href` of HTML means; None where it is no http or https one."""
    link = html.unescape(written).strip().translate(_UNSEEN)
    return link if target_of(link) is not None else None


SHORTENED: Mapping[Channel, tuple[str, ...]] = {
    Channel.SMS: ("text",),
    Channel.MMS: ("text",),
    Channel.EMAIL: ("text", "html"),
    Channel.PUSH: ("body",),
    Channel.IN_APP: ("body",),
}
"""The texts of each channel's document whose links are shortened; beside them, the URLs of its link actions."""

HTML = "html"


def links_of(field: str, text: str) -> list[str]:
    """The links of a text, in order; `field` tells how it is read."""
    if field == URL:
        return [text] if target_of(text) is not None else []
    if field == HTML:
        found = (link_of_href(text[start:end]) for start, end in hrefs_in(text))
        return [link for link in found if link is not None]
    return [text[start:end] for start, end in links_in(text)]


def with_links(field: str, text: str, shorten: Shorten) -> str:
    """The text with its links replaced."""
    if field == URL:
        return (shorten(text) if target_of(text) is not None else None) or text
    pieces, at = [], 0
    for start, end in hrefs_in(text) if field == HTML else links_in(text):
        link = link_of_href(text[start:end]) if field == HTML else text[start:end]
        short = None if link is None else shorten(link)
        if short is not None:
            pieces += [text[at:start], short]
            at = end
    return "".join((*pieces, text[at:])) if pieces else text


def shortened(channel: Channel, document: Mapping[str, object], shorten: Shorten) -> dict[str, object]:
    """A channel's document with the links of its texts replaced."""
    out = dict(document)
    for field in SHORTENED[channel]:
        written = out.get(field)
        if isinstance(written, str):
            out[field] = with_links(field, written, shorten)
    if actions := actions_of(document):
        out[FIELD] = changed(
            actions, lambda field, written: with_links(URL, written, shorten) if field == URL else written
        )
    return out


def is_shortened(link: str, rule: LinkRule) -> bool:
    """Whether a link is one that the rule shortens: one that is short already is not."""
    target = target_of(link)
    return target is not None and host_of(target) not in {rule.domain, *rule.own_domains}


def stood_in(
    documents: Mapping[Channel, Mapping[str, object]], rule: LinkRule
) -> dict[Channel, Mapping[str, object]]:
    """Documents as recipients get them, with stand-ins for the short links; an email stays as it is written.

    A stand-in has the length of a short link. Nothing that is decided depends on the length of an email.
    """
    stand_in = short_url(rule.domain, 0)

    def shorten(link: str) -> str | None:
        return stand_in if is_shortened(link, rule) else None

    return {
        channel: each if channel is Channel.EMAIL else shortened(channel, each, shorten)
        for channel, each in documents.items()
    }
