"""One request to the fake upstream, and one answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, unquote_plus, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived. `target` is what the request line holds; header names are in lower case.

    `connection` numbers the connections of one upstream from 1, so that a test can tell which were reused.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int = 0

    @property
    def path(self) -> str:
        """The target's path, as it was written."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The decoded parameters of the target; of a repeated one, the last."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The decoded fields of a form post; of a repeated one, the last."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def everything(self) -> str:
        """All that was sent, as text in several readings: for looking whether something is in it."""
        head = " ".join([
            self.method,
            self.target,
            *(f"{name}: {text}" for name, text in self.headers.items()),
        ])
        raw = f"{head}\n{self.body.decode(errors='replace')}"
        return f"{raw}\n{unquote_plus(raw)}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the upstream answers. The length is added; other headers are as given."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, document: Any, status: int = 200, **headers: str) -> Self:
        """A JSON document."""
        return cls(status, json.dumps(document).encode(), {"content-type": "application/json", **headers})

    @classmethod
    def of_text(cls, text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> Self:
        """A text: a bare number, XML, a page."""
        return cls(status, text.encode(), {"content-type": content_type})


Handler = Callable[[Request], Answer]
"""The upstream as its documents describe it. It is called in the upstream's thread, one request at a time."""
