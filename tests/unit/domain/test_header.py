"""Headers: an encoded word hides nothing that would start another header."""

import base64
from email.header import Header

import pytest

from broker.domain.header import unsafe_header

HIDDEN = "must not hide a control character in an encoded word"


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "2 =? 2",
        "=?",
        "=?utf-8?q?Caf=C3=A9?=",
        "=?UTF-8?B?Q2Fmw6k=?=",
        "=?utf-8?q?=C3=85?=",  # a byte that is a control character in Latin-1
        "=?iso-8859-1?q?Caf=E9_au_lait?=",
        "=?utf-8?q?a=09b?=",  # a tab ends no line
        "=?utf-8?x?a=0D=0A?=",  # no encoding of RFC 2047
        "=?utf-8?b?!?=",  # decodes to nothing
        "=0D=0A",
        Header("Grüße ✓", "utf-8").encode(),
    ],
)
def test_what_hides_nothing_passes(text: str) -> None:
    """Encoded words are no harm as such."""
    assert "" == unsafe_header(text)


@pytest.mark.parametrize(
    "text",
    [
        "=?utf-8?q?a=0D=0ABcc:_x=40example.org?=",
        "=?UTF-8?Q?a=0a?=",
        "=?us-ascii?q?=00?=",
        "Hello =?utf-8?q?ok?= =?utf-8?q?=0D?= there",
        f"=?utf-8?b?{base64.b64encode(b'a' + bytes([13, 10]) + b'Bcc: x').decode()}?=",
        f"=?utf-16?b?{base64.b64encode(('a' + chr(10)).encode('utf-16')).decode()}?=",
        f"=?utf-8?q?{'=E2=80=A8'}?=",
        "=?iso-8859-1?q?=85?=",
        "=?utf-7?q?+AAoA?=",
        "=?nobody-knows?q?abc?=",
        "=?utf-8*en?q?a=0A?=",
    ],
)
def test_a_hidden_control_character_is_found(text: str) -> None:
    """In either encoding, any charset, and where nobody can tell."""
    assert HIDDEN == unsafe_header(text)
