"""Placeholders in texts: `$Name$` stands for a value, `$$` for a dollar, and any other `$` for itself.

A name is 1 to 64 ASCII letters, digits and underscores, right between two dollars. So "$5 or US$ 6" has no
placeholder, and "$5$" has one; "$$5$$" is how to say "$5$". What stands first in the text counts first:
"$Name$$" is a placeholder and a dollar. A value is put in as it is: a `$` in it means nothing.
"""

import html
import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from broker.domain.value import value

TOKENS_MAX = 100
"""Values that one map may have."""

NAME_CHARACTERS_MAX = 64
VALUE_CHARACTERS_MAX = 2_000

FORM_CHARACTERS_MAX = 2_000
"""Longer texts are looked through each time, so that few characters are remembered."""

_PLACE = re.compile(r"\$(?:\$|([A-Za-z0-9_]{1,64})\$)")
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")

Values = Mapping[str, str]


def is_name(text: str) -> bool:
    """Whether a placeholder may have this name."""
    return _NAME.fullmatch(text) is not None


@value
class Places:
    """What filling a text needs: the length of what stays, and how often each name stands in it."""

    rest_length: int
    counts: Mapping[str, int]

    def filled_length(self, values: Values) -> int:
        """How many characters the text has with these values."""
        length = self.rest_length
        for name, count in self.counts.items():
            length += len(values[name]) * count
        return length


def places_in(text: str) -> Places:
    """The placeholders of a text."""
    if "$" not in text:
        return Places(len(text), {})
    found = list(_PLACE.finditer(text))
    written = sum(len(place[0]) for place in found)
    counts = Counter(place[1] for place in found if place[1])
    dollars = len(found) - counts.total()
    return Places(len(text) - written + dollars, counts)


def names_in(text: str) -> frozenset[str]:
    """The names of a text's placeholders."""
    return frozenset(places_in(text).counts)


def fill(text: str, values: Values) -> str:
    """The text with its placeholders replaced; one without a value raises KeyError."""
    if "$" not in text:
        return text
    if len(text) <= FORM_CHARACTERS_MAX:
        return _form_of(text) % values
    return _PLACE.sub(lambda place: values[place[1]] if place[1] else "$", text)


@lru_cache(maxsize=256)
def _form_of(text: str) -> str:
    """The text as a form for `%`, which fills in the same text for many in a fifth of the time."""
    return _PLACE.sub(lambda place: f"%({place[1]})s" if place[1] else "$", text.replace("%", "%%"))


def fill_known(text: str, values: Values) -> tuple[str, tuple[str, ...]]:
    """The text with those placeholders replaced that have a value, and the names of the others in order."""
    missing = tuple(sorted(places_in(text).counts.keys() - values.keys()))
    return fill(text, {name: f"${name}$" for name in missing} | dict(values)), missing


def escaped(values: Values) -> Values:
    """The values as they stand in HTML, in a text as in a quoted attribute."""
    return {name: html.escape(given) for name, given in values.items()}
