"""Provider message ids as upstreams spell them, and which message a receipt means by one.

Many SMS centres answer a submit with an id in hexadecimal and report on it in decimal, or the other way
round, padded with zeros or not, in either case: one number in several spellings. A provider declares how
far its receipts may stray (`IdSpelling`), and the rules here find the message all the same, or say that
nobody can tell. They never guess.
"""

from enum import Enum


class IdSpelling(Enum):
    """How far a receipt's spelling of a provider message id may differ from the submit answer's."""

    EXACT = "not at all"
    CASELESS = "in upper and lower case"
    NUMERIC = "it is a number: hexadecimal or decimal, in either case, with or without leading zeros"
