"""API keys and URL tokens as they are written: a prefix, the id, 256 random bits, and a checksum.

    wpk_0NQX7K3VWM4T2_<43 letters and digits><6 letters and digits>

The prefix and the checksum let a scanner tell a leaked key from any other text, without asking the broker:
the last 6 characters are the CRC-32 of all before them, in base 62. Keys of before `wpk_` begin with `wp_` and
have no checksum; they go on working.
"""

import zlib
from string import ascii_lowercase, ascii_uppercase, digits

from broker.domain.access import Role
from broker.domain.ids import format_id, parse_id
from broker.domain.value import value

KEY_PREFIX = "wpk_"
URL_TOKEN_PREFIX = "wpu_"  # noqa: S105 - what it begins with, not one
OLD_PREFIX = "wp_"
RANDOM_BITS = 256
SECRET_CHARACTERS_MAX = 128

KEYS_MAX = 100
"""Keys of an account that were not revoked."""

REVOKED_KEPT_MAX = 1_000
"""Of an account's revoked keys the newest are kept, to be shown."""

CALLS_PER_SECOND_MAX = 100_000
DESCRIPTION_CHARACTERS_MAX = 200

_ALPHABET = digits + ascii_uppercase + ascii_lowercase
_RANDOM_CHARACTERS = 43
_CHECKSUM_CHARACTERS = 6


@value
class ApiKey:
    """A key as it is shown: everything but its secret. Times are microseconds UTC.

    `calls_per_second` 0: as many as the broker takes.
    """

    key_id: int
    account_id: int
    role: Role
    created_at_us: int
    description: str = ""
    calls_per_second: int = 0
    expire_at_us: int | None = None
    revoked_at_us: int | None = None


def write_secret(key_id: int, role: Role, drawn: int) -> str:
    """The secret of a key; `drawn` are its random bits."""
    prefix = URL_TOKEN_PREFIX if role is Role.URL_SENDING else KEY_PREFIX
    body = f"{prefix}{format_id(key_id)}_{_base62(drawn, _RANDOM_CHARACTERS)}"
    return body + checksum(body)


def checksum(body: str) -> str:
    """The 6 characters that end a secret."""
    return _base62(zlib.crc32(body.encode("ascii")), _CHECKSUM_CHARACTERS)


def key_id_of(secret: str) -> int | None:
    """The id within a key or URL token; None for what none looks like."""
    if len(secret) > SECRET_CHARACTERS_MAX or not secret.isascii():
        return None
    for prefix in (KEY_PREFIX, URL_TOKEN_PREFIX):
        if secret.startswith(prefix):
            body, end = secret[:-_CHECKSUM_CHARACTERS], secret[-_CHECKSUM_CHARACTERS:]
            return _id_in(body, prefix) if checksum(body) == end else None
    return _id_in(secret, OLD_PREFIX) if secret.startswith(OLD_PREFIX) else None


def is_old(secret: str) -> bool:
    """Whether it was made before keys had a checksum."""
    return not secret.startswith((KEY_PREFIX, URL_TOKEN_PREFIX))


def _id_in(body: str, prefix: str) -> int | None:
    written_id, _, _ = body.removeprefix(prefix).partition("_")
    return parse_id(written_id)


def _base62(number: int, characters: int) -> str:
    written = []
    for _ in range(characters):
        number, place = divmod(number, len(_ALPHABET))
        written.append(_ALPHABET[place])
    return "".join(reversed(written))
