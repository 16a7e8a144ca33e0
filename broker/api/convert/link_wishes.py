"""What callers want of links, in a request and in a template: the same three fields."""

from typing import Protocol

from broker.api.convert.findings import Findings
from broker.domain.link_policy import LINK_DOMAIN_CHARACTERS_MAX
from broker.domain.links import LinkWish


class AsksForLinks(Protocol):
    """A message of the protos with these fields."""

    track_links: bool
    short_link_domain: str
    keep_links: bool


def link_wish_of(path: str, asked: AsksForLinks, findings: Findings) -> LinkWish:
    """The wish; a host has no case."""
    domain = asked.short_link_domain.strip().lower()
    findings.line(f"{path}.short_link_domain", domain, LINK_DOMAIN_CHARACTERS_MAX)
    if asked.keep_links and (asked.track_links or domain):
        findings.broke(f"{path}.keep_links", "leaves no link for track_links and short_link_domain")
    return LinkWish(True if asked.track_links else False if asked.keep_links else None, domain)
