"""Message ids: time-ordered 63-bit integers, and their written form.

An id is 41 bits of milliseconds since 1970 UTC, 10 bits of node and 12 bits of counter. It is written as
13 characters of Crockford's base32, so ids sort the same as text and as numbers.
"""

from dataclasses import dataclass

NODE_BITS = 10
COUNTER_BITS = 12
TEXT_LENGTH = 13
ID_MAX = (1 << 63) - 1
NODE_MAX = (1 << NODE_BITS) - 1
SET_BACK_MS_MAX = 60_000
"""A clock this far before the ceiling was set back; less is the reservation itself, or drift."""

_TIME_SHIFT = NODE_BITS + COUNTER_BITS
_COUNTER_MASK = (1 << COUNTER_BITS) - 1
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_VALUES |= {character.lower(): value for character, value in _VALUES.items()}
# Crockford's rule: what people misread is read as meant.
_VALUES |= {"o": 0, "O": 0, "i": 1, "I": 1, "l": 1, "L": 1}
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)


def format_id(number: int) -> str:
    """The 13 characters of an id, as "01KAB3XQ8G000"."""
    pairs = _PAIRS
    return (
        f"{_ALPHABET[number >> 60]}{pairs[number >> 50 & 1023]}{pairs[number >> 40 & 1023]}"
        f"{pairs[number >> 30 & 1023]}{pairs[number >> 20 & 1023]}{pairs[number >> 10 & 1023]}"
        f"{pairs[number & 1023]}"
    )


def parse_id(text: str) -> int | None:
    """The id that `text` writes, in either case; None when it writes none."""
    if len(text) != TEXT_LENGTH:
        return None
    number = 0
    for character in text:
        value = _VALUES.get(character)
        if value is None:
            return None
        number = number << 5 | value
    return number if number <= ID_MAX else None


def first_id_at(time_ms: int) -> int:
    """The lowest id of a millisecond; past the last one that an id can tell (in 2039), the highest id."""
    return min(max(0, time_ms) << _TIME_SHIFT, ID_MAX)


def time_ms_of(number: int) -> int:
    """The millisecond in which an id was made."""
    return number >> _TIME_SHIFT


def last_before_restart(*, newest: int, ceiling: int, now_ms: int) -> int:
    """The id to go on from at a start: the newest that is stored, so that ids stay close to the clock.

    A clock that stands far before the reserved ceiling was set back. Then the newest rows may have been
    deleted since, and only the ceiling is sure to be above every id that was given.
    """
    set_back = now_ms < time_ms_of(ceiling) - SET_BACK_MS_MAX
    return ceiling if set_back else newest


@dataclass(slots=True)
class IdSequence:
    """Hands out ids in rising order, never above `ceiling` and never behind the last one.

    The ceiling is reserved in the store ahead of use, and a restart begins above it: no id is given
    twice even when the clock went back. A full counter borrows from the next millisecond.
    """

    node: int
    last: int
    ceiling: int

    def take(self, count: int, now_ms: int) -> list[int] | None:
        """`count` rising ids; None when that would pass the ceiling, and then nothing is taken."""
        base = self.node << COUNTER_BITS
        time_ms, counter = self.last >> _TIME_SHIFT, (self.last & _COUNTER_MASK) + 1
        if self.last >> COUNTER_BITS & NODE_MAX != self.node:
            # The last id is no place in our own counter (a ceiling, another node's): only the time is above it.
            time_ms, counter = time_ms + 1, 0
        if now_ms > time_ms:
            time_ms, counter = now_ms, 0
        ids: list[int] = []
        while len(ids) < count:
            room = min(count - len(ids), _COUNTER_MASK + 1 - counter)
            start = time_ms << _TIME_SHIFT | base | counter
            ids.extend(range(start, start + room))
            time_ms, counter = time_ms + 1, 0
        if ids and ids[-1] > self.ceiling:
            return None
        if ids:
            self.last = ids[-1]
        return ids

    def reserve(self, ceiling: int) -> None:
        """Allow ids up to `ceiling`, which the store has recorded."""
        self.ceiling = max(self.ceiling, ceiling)
