r"""How a text travels: its encoding, its length, and the parts it is cut into.

A text goes out in GSM-7 when each of its characters is in one of the two tables below, and in UCS-2
otherwise: one foreign character flips the whole message and more than halves its room.

=========  ==================  ===============  ================
encoding   unit of length      alone in an SMS  in a part of many
=========  ==================  ===============  ================
GSM-7      septet              160              153
UCS-2      UTF-16 code unit    70               67
=========  ==================  ===============  ================

Sources: 3GPP TS 23.038, 6.2.1 (the tables) and 6.2.3 (UCS-2); 3GPP TS 23.040, 9.2.3.24.1 (the
header of a part). Two things go beyond them. Characters outside the BMP are sent as UTF-16
surrogate pairs, as handsets expect. And a cut falls between grapheme clusters, so that no part
ends in half an emoji, half a line break or a letter without its accent. A part may therefore stay
short, and ``units`` exceed ``ceil(length / part size)``.

**Why it looks like this.** :func:`measure` runs for every recipient, so it makes no step per
character: C code maps the text to one byte a character and deletes what it knows. Only a text of
several parts is cut, and there only its *blocks* are looked at one by one: the stretches that a cut
might damage. All between two blocks is one unit a character and may be cut anywhere, by arithmetic.
What is made of the two tables, once, stands at the end of the file.
"""

import codecs
import enum
import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]

# An SMS carries 140 octets. In a part of many, a header of 6 octets (8-bit reference) leaves 134.
GSM7_SINGLE_SEPTETS = 160
GSM7_PART_SEPTETS = 153
UCS2_SINGLE_CODE_UNITS = 70
UCS2_PART_CODE_UNITS = 67

# TS 23.038, 6.2.1: sixteen codes a line. Code 0x1B, the escape, is no character and is left out.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
# TS 23.038, 6.2.1.1: each is sent as the escape and one more septet.
_EXTENSION = "\f^{}\\[~]|€"


class Encoding(enum.IntEnum):
    """The alphabet of a message on the air interface."""

    GSM7 = 1
    UCS2 = 2


@dataclass(frozen=True, slots=True)
class Measure:
    """What a text needs.

    ``length`` is in septets for GSM-7 and in UTF-16 code units for UCS-2, headers not counted.
    ``units`` is the number of parts, each billed as one SMS; at least 1.
    """

    encoding: Encoding
    length: int
    units: int


@dataclass(frozen=True, slots=True)
class Part:
    """One SMS of a message: its text, and its length in septets or UTF-16 code units."""

    text: str
    length: int


@dataclass(frozen=True, slots=True)
class ForcingCharacter:
    """A character that GSM-7 lacks, and where it first occurs, counted in characters from 0."""

    character: str
    index: int


def length_max(encoding: Encoding, units: int) -> int:
    """The length that so many parts hold, in septets or UTF-16 code units."""
    if encoding is Encoding.GSM7:
        return GSM7_SINGLE_SEPTETS if units == 1 else units * GSM7_PART_SEPTETS
    return UCS2_SINGLE_CODE_UNITS if units == 1 else units * UCS2_PART_CODE_UNITS


@functools.lru_cache(maxsize=256)
def measure(text: str) -> Measure:
    """Tell the encoding, the length and the exact number of parts of ``text``.

    ``measure(text).units == len(split(text))`` always. The limits are 160 septets or 70 UTF-16
    code units for a single part, 153 or 67 for each of several (3GPP TS 23.038, TS 23.040); how
    many units an account may send is not decided here. An empty text is one GSM-7 unit of length
    0, since an SMS without text is still an SMS. A lone surrogate, which UTF-8 cannot carry but a
    ``str`` can, counts as one UCS-2 code unit.
    """
    septets = _septets(text)
    if septets is None:
        code_units = _code_units(text)
        if code_units <= UCS2_SINGLE_CODE_UNITS:
            return _UCS2_SINGLES[code_units]
        return Measure(Encoding.UCS2, code_units, len(_cuts(text, Encoding.UCS2)))
    if septets <= GSM7_SINGLE_SEPTETS:
        return _GSM7_SINGLES[septets]
    if septets == len(text) and "\r\n" not in text:  # no block, so nothing can straddle a cut
        return Measure(Encoding.GSM7, septets, -(-septets // GSM7_PART_SEPTETS))
    return Measure(Encoding.GSM7, septets, len(_cuts(text, Encoding.GSM7)))


def split(text: str) -> tuple[Part, ...]:
    r"""Cut ``text`` into its parts, exactly as they are sent; joined, they are the text again.

    Each part takes as much as it can hold: 160 septets or 70 UTF-16 code units when it is the only
    one, else 153 or 67 (3GPP TS 23.038, TS 23.040). No cut falls inside an escape pair, a surrogate
    pair, or a grapheme cluster (Unicode UAX #29; ``"\r\n"`` is one) that fits in a part. A longer
    cluster is cut between its characters, after filling the part it begins in. An empty text is one
    empty part. Lone surrogates are one code unit each, and two that form a pair stay together.
    """
    whole = measure(text)
    if whole.units == 1:
        return (Part(text, whole.length),)
    parts = []
    start = 0
    for end, length in _cuts(text, whole.encoding):
        parts.append(Part(text[start:end], length))
        start = end
    return tuple(parts)


def forcing_characters(text: str) -> tuple[ForcingCharacter, ...]:
    """Name the distinct characters that force ``text`` into UCS-2, in order of first occurrence.

    Empty exactly when the text is GSM-7. Each is one character (code point), of which a grapheme
    cluster may hold several; a lone surrogate is reported like any other.
    """
    first_index: dict[str, int] = {}
    for match in _FOREIGN.finditer(text):
        first_index.setdefault(match[0], match.start())
    return tuple(itertools.starmap(ForcingCharacter, first_index.items()))


def _septets(text: str) -> int | None:
    """Return the length of ``text`` in septets, or None when it is not GSM-7."""
    # "ignore" drops what has no code, so that a foreign text costs no exception.
    codes = text.encode() if text.isascii() else codecs.charmap_encode(text, "ignore", _CODES)[0]
    rest = codes.translate(None, _BASIC_CODES)
    if len(codes) < len(text) or rest.translate(None, _EXTENSION_CODES):
        return None
    return len(text) + len(rest)


def _code_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cuts(text: str, encoding: Encoding) -> list[tuple[int, int]]:
    """Return where each part ends (in characters) and its length, for a text of several parts."""
    gsm7 = encoding is Encoding.GSM7
    room = GSM7_PART_SEPTETS if gsm7 else UCS2_PART_CODE_UNITS
    blocks = _pairs(text) if gsm7 else _tangles(text)
    cuts = []
    used = position = 0
    for start, end, length in itertools.chain(blocks, [(len(text), len(text), 0)]):
        used += start - position
        while used > room:
            # All that overflows stands right before the block, one unit a character.
            used -= room
            cuts.append((start - used, room))
        # Looked into only where a cut is due: the pieces of a block that fits do not matter.
        whole = gsm7 or used + length <= room
        pieces = [(start, length)] if whole else _pieces(text, start, end)
        for piece_start, piece_length in pieces:
            if used + piece_length > room:
                cuts.append((piece_start, used))
                used = 0
            used += piece_length
        position = end
    cuts.append((len(text), used))
    return cuts


def _pairs(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield (start, end, septets) of the escape pairs and line breaks of a GSM-7 text."""
    for match in _PAIR.finditer(text):
        yield match.start(), match.end(), 2


def _tangles(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield (start, end, code units) of each stretch that may hold a cluster of several units."""
    for match in _TANGLE.finditer(text):
        # The character before it may begin the first cluster.
        start, end = max(match.start() - 1, 0), match.end()
        yield start, end, _code_units(text[start:end])


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (start, code units) of what must stay whole within a tangle."""
    for cluster in _CLUSTER.findall(text[start:end]):
        length = _code_units(cluster)
        if length <= UCS2_PART_CODE_UNITS:
            yield start, length
        else:  # it fits in no part, so only its surrogate pairs must
            yield from ((start + n, _code_units(character)) for n, character in enumerate(cluster))
        start += len(cluster)


def _character_class(ranges: list[str]) -> str:
    """Return the inside of a ``re`` class that holds ``ranges``, each of which ascends without a gap."""
    return "".join(f"\\U{ord(each[0]):08x}-\\U{ord(each[-1]):08x}" for each in ranges)


# One byte a character: ASCII keeps its code, and the other characters of both tables follow it.
_ALPHABET = "".join(map(chr, range(0x80))) + "".join(
    character for character in _BASIC + _EXTENSION if not character.isascii()
)
# U+FFFE marks the codes without a character, as in the standard library's own character maps.
_CODES = codecs.charmap_build(_ALPHABET.ljust(0x100, "\ufffe"))
_BASIC_CODES = bytes(map(_ALPHABET.index, _BASIC))
_EXTENSION_CODES = bytes(map(_ALPHABET.index, _EXTENSION))

# Made once: to build a frozen dataclass takes as long as all the rest of a measurement.
_GSM7_SINGLES = tuple(Measure(Encoding.GSM7, n, 1) for n in range(GSM7_SINGLE_SEPTETS + 1))
_UCS2_SINGLES = tuple(Measure(Encoding.UCS2, n, 1) for n in range(UCS2_SINGLE_CODE_UNITS + 1))

_FOREIGN = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]")
# GSM-7 has no combining characters: the line break is its only cluster of several.
_PAIR = re.compile("|".join(map(re.escape, ("\r\n", *_EXTENSION))))

# `regex` finds clusters, but takes 0.15 µs a character. So `re` first finds the tangles, the only
# places where a cluster of several units can be: characters of the class below, with at most one
# other character between any two, and one on each side, which may belong. Two neighbours that are
# both outside the class always have a cluster boundary between them (UAX #29, rule GB999; GB9c and
# GB11 do join others, but only across a linker or a joiner, which are in the class). All outside
# the BMP is in it, being two code units.
_BMP_JOINING = _character_class(
    regex.findall(
        r"[\p{GCB=CR}\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}\p{GCB=Prepend}"
        r"\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{InCB=Linker}\p{Cs}]+",
        "".join(map(chr, range(0x10000))),
    )
)
_JOINING = rf"[{_BMP_JOINING}\U00010000-\U0010ffff]"
_TANGLE = re.compile(f"{_JOINING}(?:.?{_JOINING})*.?", re.DOTALL)
# Two lone surrogates that form a pair become one character on its way to the handset.
_CLUSTER = regex.compile(r"[\ud800-\udbff][\udc00-\udfff]|\X")
