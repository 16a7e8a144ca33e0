"""Link actions: what a text offers to do, each a word or two that opens a link.

Some networks show them as buttons below the text. They stand beside it in a channel's document, as a list of
`{"text": …, "url": …}` under `link_actions`, and are no part of its units.
"""

from collections.abc import Callable, Mapping, Sequence

FIELD = "link_actions"
TEXT, URL = "text", "url"
LINK_ACTIONS_MAX = 10
ACTION_TEXT_CHARACTERS_MAX = 64


def actions_of(document: Mapping[str, object]) -> Sequence[Mapping[str, str]]:
    """The link actions of a channel's document."""
    given = document.get(FIELD)
    return given if isinstance(given, list) else ()


def changed(
    actions: Sequence[Mapping[str, str]], change: Callable[[str, str], str]
) -> list[Mapping[str, str]]:
    """The actions with each text and URL as `change` makes it of its field and what is written there."""
    return [{field: change(field, written) for field, written in action.items()} for action in actions]
