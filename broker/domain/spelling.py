"""Provider message ids as upstreams spell them, and which message a receipt means by one.

Many SMS centres answer a submit with an id in hexadecimal and report on it in decimal, or the other way
round, padded with zeros or not, in either case: one number in several spellings. A provider declares how
far its receipts may stray (`IdSpelling`), and the rules here find the message all the same, or say that
nobody can tell. They never guess.

What was answered is registered under its *folded* form, and a receipt looks under its own `lookup_forms`:

    answered "0A1B" → "a1b"        reported "2587" → "2587", "a1b" (it may be decimal), "9607" (or hexadecimal)

The relation goes both ways, so a receipt that comes first is parked under its folded form and found by the
lookup forms of the answer.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from enum import Enum, IntEnum

from broker.domain.value import value


class IdSpelling(Enum):
    """How far a receipt's spelling of a provider message id may differ from the submit answer's."""

    EXACT = "not at all"
    CASELESS = "in upper and lower case"
    NUMERIC = "it is a number: hexadecimal or decimal, in either case, with or without leading zeros"


class Closeness(IntEnum):
    """How near two spellings are."""

    EXACT = 0
    FOLDED = 1
    """The same but for case and leading zeros."""
    CONVERTED = 2
    """The same number, if one is hexadecimal and the other decimal."""


class Agreement(IntEnum):
    """What a receipt's recipient says about a message's."""

    SAME = 0
    ENDING = 1
    """The last digits are the same, as of one number with and without its country code."""
    UNSAID = 2
    """Nothing: it names none, or hides part of it."""
    OTHER = 3


@value
class Candidate:
    """A registered id that a receipt may mean, and whose it is. `part` is 0 for a whole message."""

    identity: str
    recipient: str
    part: int


_HEXADECIMAL = re.compile(r"[0-9a-f]+", re.IGNORECASE | re.ASCII)
_DECIMAL = re.compile(r"[0-9]+")
_PHONE = re.compile(r"[+0-9 ().\-]*[0-9][+0-9 ().\-]*")
_NO_DIGIT = re.compile(r"[^0-9]")
ENDING_DIGITS = 7
"""As many as most countries leave alone when they change a number's form; with fewer, all of them count."""

ENDING_DIGITS_MIN = 4


def folded(spelling: IdSpelling, identity: str) -> str:
    """The form under which an id is registered, or a receipt about it parked."""
    if spelling is IdSpelling.EXACT:
        return identity
    lowered = identity.lower()
    if spelling is IdSpelling.NUMERIC and _HEXADECIMAL.fullmatch(lowered):
        return lowered.lstrip("0") or "0"
    return lowered


def lookup_forms(spelling: IdSpelling, identity: str) -> tuple[str, ...]:
    """The folded forms that may stand for the same id, its own first."""
    own = folded(spelling, identity)
    if spelling is not IdSpelling.NUMERIC or not _HEXADECIMAL.fullmatch(own):
        return (own,)
    forms = [own]
    if _DECIMAL.fullmatch(own):
        forms.append(f"{int(own):x}")
    forms.append(str(int(own, 16)))
    return tuple(dict.fromkeys(forms))


def best_candidates(
    spelling: IdSpelling, identity: str, recipient: str, part: int, candidates: Sequence[Candidate]
) -> list[Candidate]:
    """Those that a receipt fits best: one is meant, none is known, of several nobody can tell which.

    The recipient counts first and the spelling second: two numbers can be spelled alike by chance, one
    in hexadecimal and one in decimal, but not for the same recipient. Part decides among what is left.
    """
    ranks: defaultdict[tuple[Agreement, Closeness], list[Candidate]] = defaultdict(list)
    for each in candidates:
        closeness = closeness_of(spelling, identity, each.identity)
        agreement = agreement_of(each.recipient, recipient)
        if agreement is not Agreement.OTHER or _is_certain(spelling, identity, closeness):
            ranks[agreement, closeness].append(each)
    if not ranks:
        return []
    best = ranks[min(ranks)]
    return [each for each in best if part and each.part == part] or best


def closeness_of(spelling: IdSpelling, one: str, other: str) -> Closeness:
    """How near two spellings are that share a lookup form."""
    if one == other:
        return Closeness.EXACT
    same = folded(spelling, one) == folded(spelling, other)
    return Closeness.FOLDED if same else Closeness.CONVERTED


def _is_certain(spelling: IdSpelling, identity: str, closeness: Closeness) -> bool:
    """Whether the spelling alone settles it: digits alone may be a number of either base."""
    if closeness is Closeness.CONVERTED:
        return False
    return spelling is not IdSpelling.NUMERIC or not _DECIMAL.fullmatch(identity)


def agreement_of(ours: str, theirs: str) -> Agreement:
    """Whether the recipient that a receipt names can be the one that we sent to.

    Numbers come back without their "+", with 00, or without the country code; some upstreams hide digits.
    """
    if not theirs:
        return Agreement.UNSAID
    if ours.casefold() == theirs.casefold():
        return Agreement.SAME
    if "@" in ours and "@" in theirs:
        return Agreement.OTHER
    if not (_PHONE.fullmatch(ours) and _PHONE.fullmatch(theirs)):
        return Agreement.UNSAID
    one, other = (_NO_DIGIT.sub("", each) for each in (ours, theirs))
    if one.lstrip("0") == other.lstrip("0"):
        return Agreement.SAME
    length = min(len(one), len(other), ENDING_DIGITS)
    alike = length >= ENDING_DIGITS_MIN and one[-length:] == other[-length:]
    return Agreement.ENDING if alike else Agreement.OTHER
