"""A request to the fake and its answer, with ZoomConnect's shape of an error."""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Response = tuple[int, dict[str, str], bytes]


class Refused(Exception):
    """An answer that is no success; `code` is ZoomConnect's own where it has one."""

    def __init__(self, status: int, message: str = "", code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def response(self) -> Response:
        """The answer."""
        if self.status in {401, 403, 404, 429}:
            pause = {"Retry-After": "30"} if self.status == 429 else {}
            return self.status, pause, b""
        return json_response(
            {"status": str(self.status), "code": self.code, "message": str(self)}, self.status
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Names of headers are in lower case; of a repeated parameter, the last counts."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """Its parameters, decoded."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object in its body; raises Refused where there is none."""
        try:
            document = json.loads(self.body)
        except ValueError:
            raise Refused(400, "the request body is not JSON") from None
        if not isinstance(document, dict):
            raise Refused(400, "the request body is no object")
        return document

    @property
    def credentials(self) -> tuple[str, str]:
        """Email and token: of headers of these names, of Basic authentication, or of the URL."""
        if self.headers.get("authorization", "").startswith("Basic "):
            try:
                pair = b64decode(self.headers["authorization"][6:], validate=True).decode()
            except ValueError:
                return "", ""
            email, _, token = pair.partition(":")
            return email, token
        found = self.headers if "token" in self.headers else self.query
        return found.get("email", ""), found.get("token", "")


def json_response(document: object, status: int = 200) -> Response:
    """An answer with a JSON body."""
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()
