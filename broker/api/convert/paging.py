"""Page tokens: opaque, and only good for the list that gave them.

A token is a place in a list and a checksum over it and the list's scope (account, filter). It holds no
secret, and needs none: what a page may show is decided by the caller's key, never by the token.
"""

import base64
import binascii
import hashlib

from broker.api.convert.findings import Findings

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1_000
_CHECKSUM_BYTES = 8
_TOKEN_CHARACTERS_MAX = 1_024


def page_size_of(given: int, findings: Findings) -> int:
    """How many to list at most."""
    if not 0 <= given <= PAGE_SIZE_MAX:
        findings.broke("page_size", f"must be from 1 to {PAGE_SIZE_MAX:,}, or 0 for {PAGE_SIZE_DEFAULT}")
    return given or PAGE_SIZE_DEFAULT


def page_token(position: str, scope: str) -> str:
    """The token of the page that starts at `position` of the list that `scope` names."""
    place = position.encode()
    return base64.urlsafe_b64encode(_checksum(place, scope) + place).decode().rstrip("=")


def page_position(token: str, scope: str, findings: Findings) -> str | None:
    """Where a token points in the list that `scope` names; None for the first page."""
    if not token:
        return None
    position = _checked_position(token, scope)
    if position is None:
        findings.broke(
            "page_token", "was not given by this list: send a next_page_token with the same filter"
        )
    return position


def _checked_position(token: str, scope: str) -> str | None:
    if len(token) > _TOKEN_CHARACTERS_MAX:
        return None
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    checksum, place = packed[:_CHECKSUM_BYTES], packed[_CHECKSUM_BYTES:]
    return place.decode() if checksum == _checksum(place, scope) else None


def _checksum(place: bytes, scope: str) -> bytes:
    return hashlib.blake2s(
        place, key=hashlib.blake2s(scope.encode()).digest(), digest_size=_CHECKSUM_BYTES
    ).digest()
