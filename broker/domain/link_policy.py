"""What an account may decide about its short links."""

import re
from collections.abc import Iterator, Sequence

LINK_DOMAINS_MAX = 20
LINK_DOMAIN_CHARACTERS_MAX = 100
"""A short link is meant to be short; a host name may have 253."""

WEB_PARAMETERS_MAX = 20
WEB_PARAMETER_CHARACTERS_MAX = 256

_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
_PARAMETER = re.compile(r"[A-Za-z0-9_.-]+=[^\x00-\x1f\x7f]*")


def link_problems(
    domains: Sequence[str], parameters: Sequence[str], *, track_links: bool
) -> list[tuple[str, str]]:
    """The rules that an account's wishes about links break, each with its field."""
    return [
        *_domain_problems(domains),
        *_parameter_problems(parameters),
        *([("track_links", "needs a domain in link_domains")] if track_links and not domains else ()),
    ]


def _domain_problems(domains: Sequence[str]) -> Iterator[tuple[str, str]]:
    if len(domains) > LINK_DOMAINS_MAX:
        yield "link_domains", f"has {len(domains)} domains; at most {LINK_DOMAINS_MAX} are allowed"
    for index, domain in enumerate(domains):
        if len(domain) > LINK_DOMAIN_CHARACTERS_MAX or _DOMAIN.fullmatch(domain) is None:
            shape = f'in lower case, as "go.example.org", of at most {LINK_DOMAIN_CHARACTERS_MAX} characters'
            got = domain[:LINK_DOMAIN_CHARACTERS_MAX]
            yield f"link_domains[{index}]", f"must be a host name {shape}; got {got!r}"
        elif domain in domains[:index]:
            yield f"link_domains[{index}]", f"{domain} is named twice"


def _parameter_problems(parameters: Sequence[str]) -> Iterator[tuple[str, str]]:
    if len(parameters) > WEB_PARAMETERS_MAX:
        yield "web_parameters", f"has {len(parameters)} parameters; at most {WEB_PARAMETERS_MAX} are allowed"
    names = [each.partition("=")[0] for each in parameters]
    for index, each in enumerate(parameters):
        if len(each) > WEB_PARAMETER_CHARACTERS_MAX or _PARAMETER.fullmatch(each) is None:
            shape = f'as "utm_source=sms", of at most {WEB_PARAMETER_CHARACTERS_MAX} characters'
            yield (
                f"web_parameters[{index}]",
                f"must be letters, digits, _, . and -, then = and a value, {shape}",
            )
        elif names[index] in names[:index]:
            yield f"web_parameters[{index}]", f"{names[index]} is named twice"
