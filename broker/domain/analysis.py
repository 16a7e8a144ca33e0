"""A full report on a text: how it travels, what makes it dearer, and what could be done about it."""

from broker.domain.encoding import Encoding, Measure, Part, forcing_characters, measure, split
from broker.domain.plain import REPLACEMENTS, replaced
from broker.domain.value import value


@value
class Forcing:
    """A character that GSM-7 lacks.

    `indexes` are its places in the text, counted in characters from 0. `replacement` is a GSM-7 text that
    might stand in for it, None where there is none. `units_saved` is what it saves to replace this one
    character everywhere and nothing else: 0 where another one forces UCS-2 all the same, and negative where
    the replacement is longer and helps nothing.
    """

    character: str
    indexes: tuple[int, ...]
    replacement: str | None
    units_saved: int


@value
class Plainer:
    """The text with every character replaced that has a replacement, and what it needs then."""

    text: str
    measure: Measure


@value
class Analysis:
    """A text, measured. `plainer` is None where replacing neither makes it GSM-7 nor saves a unit."""

    characters: int
    measure: Measure
    parts: tuple[Part, ...]
    forcing: tuple[Forcing, ...]
    plainer: Plainer | None


def analyze(text: str) -> Analysis:
    """Tell all about a text. `measure(text).units == len(parts)` always."""
    whole = measure(text)
    forcing = tuple(_forcing(text, whole)) if whole.encoding is Encoding.UCS2 else ()
    plainer = _plainer(text, whole) if any(each.replacement is not None for each in forcing) else None
    return Analysis(len(text), whole, split(text), forcing, plainer)


def _plainer(text: str, whole: Measure) -> Plainer | None:
    plain = replaced(text)
    size = measure(plain)
    helps = size.encoding is Encoding.GSM7 or size.units < whole.units
    return Plainer(plain, size) if helps else None


def _forcing(text: str, whole: Measure) -> list[Forcing]:
    places: dict[str, list[int]] = {each.character: [] for each in forcing_characters(text)}
    for index, character in enumerate(text):
        if character in places:
            places[character].append(index)
    return [
        Forcing(character, tuple(indexes), REPLACEMENTS.get(character), _saved(text, character, whole))
        for character, indexes in places.items()
    ]


def _saved(text: str, character: str, whole: Measure) -> int:
    stand_in = REPLACEMENTS.get(character)
    return 0 if stand_in is None else whole.units - measure(text.replace(character, stand_in)).units
