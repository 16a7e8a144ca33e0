r"""The restricted text profile: what some providers take as a text, and nothing else.

A subject has at most 13 characters, subject and text together at most 160. Allowed are letters and digits of
ASCII, the space, `. , : ; ! ? ( ) ~ = + - _ \ / @ $ # & %` and the line break CR LF. `~ @ # % + = / \` and the
line break count as two characters.
"""

import re
from collections.abc import Mapping

SUBJECT_CHARACTERS_MAX = 13
CHARACTERS_MAX = 160

_FOREIGN = re.compile(r"[^a-zA-Z0-9 .,:;!?()~=+\-_\\/@$#&%]")
_DOUBLE = re.compile(r"[~@#%+=/\\]")


def restricted_length(text: str) -> int:
    """Its length as the profile counts; CR LF is two characters as it stands."""
    return len(text) + len(_DOUBLE.findall(text))


def restricted_refusal(document: Mapping[str, object]) -> str | None:
    """Why the profile refuses a channel's content; None when it does not. Tells characters, never the text."""
    subject = str(document.get("subject") or "")
    text = str(document.get("text") or document.get("body") or "")
    foreign = _FOREIGN.search(subject) or _FOREIGN.search(text.replace("\r\n", ""))
    if foreign is not None:
        return f"the character U+{ord(foreign[0]):04X} is not allowed"
    subject_length = restricted_length(subject)
    if subject_length > SUBJECT_CHARACTERS_MAX:
        return f"the subject counts {subject_length} characters; at most {SUBJECT_CHARACTERS_MAX} are allowed"
    length = subject_length + restricted_length(text)
    if length > CHARACTERS_MAX:
        return f"subject and text count {length} characters; at most {CHARACTERS_MAX} are allowed"
    return None
