"""What `waypost analyze --only` can be asked."""

from enum import StrEnum


class Question(StrEnum):
    """One question about a text, as a command line writes it."""

    CREDIT_COST = "credit-cost"
    ENCODING = "encoding"
    LENGTH = "length"
    CHARACTERS = "characters"
    WITHIN_MAXIMUM = "within-maximum"
    UNITS = "units"
