"""One exchange with ZoomConnect as values: a call to make, the answer to it, and how a call shows who we are."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from waypost_zoomconnect.settings import ZoomConnectSettings

API = "/api/rest/v1/"
OK = frozenset({200, 201, 204})
"""Statuses of its answers to what it has done."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to make: `path` follows API, `query` holds the guide's own names of parameters."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    document: Mapping[str, Any] | None = None
    open: bool = False
    """It needs no credentials: its path holds a token."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of `headers` are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether ZoomConnect says that it did what it was asked."""
        return self.status in OK

    @property
    def document(self) -> Any:
        """The body read as JSON, with exact decimals; None where it is none."""
        try:
            return json.loads(self.body, parse_float=Decimal)
        except (ValueError, RecursionError):
            return None

    @property
    def code(self) -> str:
        """The status as a code for events."""
        return f"http_{self.status}"


def url(settings: ZoomConnectSettings, call: Call) -> str:
    """Where a call goes."""
    return settings.base_url.rstrip("/") + API + call.path


def query(settings: ZoomConnectSettings, call: Call) -> dict[str, str]:
    """A call's parameters under the names that the settings give them, with the credentials where they go there."""
    parameters = dict(call.query)
    if settings.authentication == "url-for-tests" and not call.open:
        parameters |= {"email": settings.email, "token": settings.token.get_secret_value()}
    return {settings.parameters.get(name, name): text for name, text in parameters.items()}


def headers(settings: ZoomConnectSettings, call: Call) -> dict[str, str]:
    """A call's headers: who we are, unless the URL says so or nobody asks."""
    told = {"Accept": "application/json"}
    if call.open or settings.authentication == "url-for-tests":
        return told
    token = settings.token.get_secret_value()
    if settings.authentication == "basic":
        pair = b64encode(f"{settings.email}:{token}".encode()).decode()
        return {**told, "Authorization": f"Basic {pair}"}
    return {**told, "email": settings.email, "token": token}


def fields(document: object) -> Mapping[str, Any]:
    """A JSON object's fields; none where it is no object."""
    return document if isinstance(document, dict) else {}


def texts(document: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Those of the named fields that hold a text."""
    return {name: document[name] for name in names if isinstance(document.get(name), str)}


def identity(found: object) -> str:
    """An id of ZoomConnect's as a text; empty where it is none. It writes ids as numbers and as texts."""
    if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
        found = str(found)
    fits = isinstance(found, str) and found.isascii() and found.replace("-", "").isalnum()
    return str(found) if fits and len(str(found)) <= ID_CHARACTERS_MAX else ""


ID_CHARACTERS_MAX = 64
