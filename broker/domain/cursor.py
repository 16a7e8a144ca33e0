"""Cursors: an opaque place in one account's event log, bound to the store that issued it."""

import base64
import binascii
import struct
from dataclasses import dataclass

_FORMAT = struct.Struct(">B8sqq")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """After event `sequence` of an account. `store_id` is 8 bytes that name the store."""

    store_id: bytes
    account_id: int
    sequence: int


def format_cursor(cursor: Cursor) -> str:
    """The cursor as URL-safe text."""
    packed = _FORMAT.pack(_VERSION, cursor.store_id, cursor.account_id, cursor.sequence)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def parse_cursor(text: str) -> Cursor | None:
    """The cursor that `text` writes; None when it writes none."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        version, store_id, account_id, sequence = _FORMAT.unpack(packed)
    except (binascii.Error, struct.error, ValueError):
        return None
    if version != _VERSION or account_id < 0 or sequence < 0:
        return None
    return Cursor(store_id, account_id, sequence)
