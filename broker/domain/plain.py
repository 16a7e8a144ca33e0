"""What might stand in for characters that GSM-7 lacks, so that a text need not become UCS-2.

The table is literal. It holds what editors and telephones put in place of plain characters, which nobody
misses (quotes, dashes, spaces, marks that are not seen), and Latin letters whose accent GSM-7 lacks, which
somebody may miss: so the broker names a replacement and never makes one.
"""

from collections.abc import Mapping

_GROUPS: Mapping[str, str] = {
    # What a replacement is, and the characters that it may stand for.
    '"': "\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\u300c\u300d\u300e\u300f\uff02",
    "'": "\u2018\u2019\u201a\u201b\u2032\u2035\u2039\u203a\u0060\u00b4\u02b9\u02bb\u02bc\u02bd\uff07",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63\uff0d",
    "*": "\u2022\u2023\u2219\u25cf\u25e6\u00b7",
    ".": "\u2024\u3002\uff0e",
    ",": "\uff0c\u3001",
    "!": "\uff01",
    "?": "\uff1f",
    ":": "\uff1a",
    ";": "\uff1b\u037e",
    "(": "\uff08",
    ")": "\uff09",
    "/": "\u2044\u2215\uff0f",
    "|": "\u00a6\u2016\uff5c",
    "~": "\u02dc\u223c\uff5e",
    "^": "\u02c6",
    "+": "\uff0b",
    "=": "\uff1d",
    "<": "\u2329\u27e8",
    ">": "\u232a\u27e9",
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\u000b\u0085\u2028\u2029",
    # Not seen, and of no use in an alphabet without joining letters. The joiner between emoji is none of them.
    "": "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff",
    "...": "\u2026",
    "..": "\u2025",
    "!!": "\u203c",
    "?!": "\u2048",
    "!?": "\u2049",
    "->": "\u2192",
    "<-": "\u2190",
    "(c)": "\u00a9",
    "(R)": "\u00ae",
    "(TM)": "\u2122",
    "No": "\u2116",
    "1/2": "\u00bd",
    "1/4": "\u00bc",
    "3/4": "\u00be",
    "x": "\u00d7",
    "1": "\u00b9",
    "2": "\u00b2",
    "3": "\u00b3",
    "ff": "\ufb00",
    "fi": "\ufb01",
    "fl": "\ufb02",
    "ffi": "\ufb03",
    "ffl": "\ufb04",
    "A": "ÀÁÂÃĀĂĄǍ",
    "a": "áâãāăąǎª",
    "C": "ĆĈĊČ",
    "c": "çćĉċč",
    "D": "ĎĐÐ",
    "d": "ďđð",
    "E": "ÈÊËĒĔĖĘĚ",
    "e": "êëēĕėęě",
    "G": "ĜĞĠĢ",
    "g": "ĝğġģ",
    "H": "ĤĦ",
    "h": "ĥħ",
    "I": "ÌÍÎÏĨĪĬĮİ",
    "i": "íîïĩīĭįı",
    "J": "Ĵ",
    "j": "ĵ",
    "K": "Ķ",
    "k": "ķ",
    "L": "ĹĻĽĿŁ",
    "l": "ĺļľŀł",
    "N": "ŃŅŇ",
    "n": "ńņňŉ",
    "O": "ÒÓÔÕŌŎŐ",
    "o": "óôõōŏőº",
    "OE": "Œ",
    "oe": "œ",
    "R": "ŔŖŘ",
    "r": "ŕŗř",
    "S": "ŚŜŞŠȘ",
    "s": "śŝşšș",
    "T": "ŢŤŦȚ",
    "t": "ţťŧț",
    "Th": "Þ",
    "th": "þ",
    "U": "ÙÚÛŨŪŬŮŰŲ",
    "u": "úûũūŭůűų",
    "W": "Ŵ",
    "w": "ŵ",
    "Y": "ÝŶŸ",
    "y": "ýÿŷ",
    "Z": "ŹŻŽ",
    "z": "źżž",
}

REPLACEMENTS: Mapping[str, str] = {
    character: replacement for replacement, characters in _GROUPS.items() for character in characters
}
"""A GSM-7 text, perhaps empty, for each character that has one."""


def replaced(text: str, characters: Mapping[str, str] = REPLACEMENTS) -> str:
    """The text with each of these characters replaced."""
    return text.translate({ord(character): stand_in for character, stand_in in characters.items()})
