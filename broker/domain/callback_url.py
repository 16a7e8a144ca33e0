"""URLs that callers want to be called at: what is one, where it leads, and how a GET form is filled in.

Parsers of URLs disagree about everything unusual, and each disagreement is a way past a check. So only
the plain form is taken, and what is sent is the text that was checked, byte for byte.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address

from broker.domain.network import Address, AddressPolicy
from broker.domain.value import value

URL_CHARACTERS_MAX = 2_048
PORTS = {"http": 80, "https": 443}

PARAMETERS = (
    "type",
    "time",
    "sequence",
    "account_id",
    "message_id",
    "broadcast_id",
    "contact_id",
    "recipient",
    "sender",
    "channel",
    "fact",
    "status",
    "previous_status",
    "end",
    "reason",
    "detail",
    "provider",
    "provider_message_ids",
    "part",
    "provider_code",
    "provider_text",
    "attempt",
    "units",
    "price_amount_micros",
    "price_currency",
    "client_reference",
    "campaign_id",
    "campaign_name",
    "data",
    "tags",
    "reply_to_message_id",
    "origin",
    "next_attempt_time",
    "next_provider",
    "redriven_from_message_id",
    "previous_channel",
    "text",
    "receive_time",
    "provider_message_id",
    "kind",
    "assigned_by",
    "keyword",
    "joined_group_id",
)
"""What a GET form can say of an event, in the order in which it is appended."""


class CallbackMethod(IntEnum):
    """How a callback is made. Numbers are stored and equal those of the protos."""

    POST = 1
    GET = 2


@value
class CallbackUrl:
    """A URL in its parts. `target` is what goes into the request line: path and query as written."""

    scheme: str
    host: str
    port: int
    authority: str
    target: str

    @property
    def origin(self) -> str:
        """Who is called, as "https://example.org:443": the same for all spellings of it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def with_target(self, target: str) -> str:
        """The URL with another path and query."""
        return f"{self.scheme}://{self.authority}{target}"


_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)(#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:]+))(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
# RFC 3986 without the fragment, and the braces of placeholders.
_TARGET = re.compile(r"(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=\[\]{}]|%[0-9A-Fa-f]{2})*")
_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def parse_callback_url(written: str) -> CallbackUrl | str:
    """The URL, or the rule that it breaks."""
    if len(written) > URL_CHARACTERS_MAX:
        return f"has {len(written)} characters; at most {URL_CHARACTERS_MAX} are allowed"
    match = _URL.fullmatch(written)
    if match is None:
        return "must be an http or https URL"
    scheme, authority, target, fragment = match.groups()
    place = _place(authority, PORTS[scheme.lower()])
    if isinstance(place, str):
        return place
    if fragment is not None:
        return "must not have a fragment"
    if not _TARGET.fullmatch(target):
        return "has characters that must be percent-encoded"
    host, port = place
    path = target if target.startswith("/") else f"/{target}"
    return CallbackUrl(scheme.lower(), host, port, authority, path)


def _place(authority: str, port_default: int) -> tuple[str, int] | str:
    """Host and port."""
    if "@" in authority:
        return "must not have a user name or a password"
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return "must have a host and, if any, a port from 1 to 65535"
    bracketed, name, port = match.groups()
    number = port_default if port is None else int(port)
    if not 0 < number <= 65_535:
        return "must have a host and, if any, a port from 1 to 65535"
    problem = _name_problem(name) if bracketed is None else _ipv6_problem(bracketed)
    return problem or ((bracketed or name).lower().removesuffix("."), number)


def _ipv6_problem(host: str) -> str:
    try:
        IPv6Address(host)
    except ValueError:
        return "must have an IPv6 address between its brackets"
    return ""


def _name_problem(host: str) -> str:
    labels = host.removesuffix(".").split(".")
    if not host or len(host) > 254 or not all(_LABEL.fullmatch(label) for label in labels):
        return "must name a host by ASCII letters, digits, '-', '_' and '.'"
    if _NUMERIC.fullmatch(labels[-1]) and literal_address(host.removesuffix(".")) is None:
        return "must write an IPv4 address as four decimal numbers"  # others read 0x7f.1 as 127.0.0.1
    return ""


def literal_address(host: str) -> Address | None:
    """The address that a host is written as; None for a name. `localhost` is one that needs no resolver."""
    if host == "localhost" or host.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(host)
    except ValueError:
        return None


def callback_url_problem(written: str, method: CallbackMethod) -> str | None:
    """The rule of shape that a callback URL breaks, None when there is none."""
    url = parse_callback_url(written)
    return url if isinstance(url, str) else _target_problem(url.target, method)


def callback_host_problem(written: str, policy: AddressPolicy) -> str | None:
    """Why a URL of the right shape must not be called, as far as it shows before its name is resolved."""
    url = parse_callback_url(written)
    address = None if isinstance(url, str) else literal_address(url.host)
    return None if address is None or policy.allows(address) else "must lead to a public address"


def _target_problem(target: str, method: CallbackMethod) -> str | None:
    names = _PLACEHOLDER.findall(target)
    if "{" in _PLACEHOLDER.sub("", target) or "}" in _PLACEHOLDER.sub("", target):
        return "has a brace without its partner"
    if names and method is not CallbackMethod.GET:
        return "has placeholders, which only CALLBACK_METHOD_GET fills in"
    unknown = [name for name in names if name not in PARAMETERS]
    if unknown:
        return f"has the placeholder {{{unknown[0][:64]}}}, which is none of {', '.join(PARAMETERS)}"
    return None


def filled_in(target: str, parameters: Mapping[str, str]) -> str:
    """Path and query of a GET form about one event. Its own parameters stay as they are.

    Where it names what it wants, by placeholders (`{message_id}`) or by documented parameters without a
    value (`?message_id=&status=`), it gets that; otherwise everything is appended.
    """
    if _PLACEHOLDER.search(target):
        return _PLACEHOLDER.sub(lambda found: quoted(parameters[found[1]]), target)
    path, mark, query = target.partition("?")
    pairs = query.split("&") if query else []
    named = [_wanted(pair) for pair in pairs]
    if any(named):
        filled = [
            f"{name}={quoted(parameters[name])}" if name else pair
            for pair, name in zip(pairs, named, strict=True)
        ]
        return f"{path}{mark}{'&'.join(filled)}"
    own = {pair.partition("=")[0] for pair in pairs}
    added = [f"{name}={quoted(parameters[name])}" for name in PARAMETERS if name not in own]
    return f"{path}?{'&'.join([*pairs, *added])}"


def _wanted(pair: str) -> str:
    """The documented parameter that a pair of a query asks for; empty for one of its own."""
    name, _, given = pair.partition("=")
    return name if not given and name in PARAMETERS else ""


_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_QUOTED = [chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in range(256)]


def quoted(text: str) -> str:
    """Percent-encoded UTF-8: nothing of a value can be taken for a part of the URL."""
    return "".join(map(_QUOTED.__getitem__, text.encode(errors="replace")))
