"""Texts that become headers of an email: nothing in one may start another.

A control character does not get this far. But a reader of mail decodes encoded words (RFC 2047), and so do
systems on the way: "=?utf-8?q?a=0D=0AX:?=" is one line that others may read as two.
"""

import binascii
import re
from email.errors import HeaderParseError
from email.header import decode_header

_WORD = re.compile(r"=\?[^?\s]{1,64}\?[bq]\?[^?\r\n]*\?=", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def unsafe_header(text: str) -> str:
    """Why a text of one line may not become a header; empty when it may."""
    if "=?" in text and any(_hides_control(word[0]) for word in _WORD.finditer(text)):
        return "must not hide a control character in an encoded word"
    return ""


def _hides_control(word: str) -> bool:
    """Whether an encoded word decodes to a control character, read by its charset or byte for byte."""
    try:
        decoded = decode_header(word)
    except (HeaderParseError, binascii.Error, ValueError):
        return False  # nobody can decode it
    for piece, charset in decoded:
        if isinstance(piece, str):
            continue
        try:
            said = piece.decode(charset or "ascii", "replace")
        except LookupError:
            return True  # a charset that only others know may hide anything
        if _CONTROL_BYTES.search(piece) or _CONTROL.search(said):
            return True
    return False
