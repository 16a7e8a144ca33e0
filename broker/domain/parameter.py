"""Parameters of templates: what a value of each type looks like. Values stay the texts that they came as."""

import re
from datetime import date
from enum import IntEnum

from broker.domain.address import normal_number
from broker.domain.tokens import VALUE_CHARACTERS_MAX
from broker.domain.value import value

NUMBER_CHARACTERS_MAX = 40

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_URL = re.compile(r"https?://[^\s/?#\x00-\x1f\x7f]+(?:[/?#][^\s\x00-\x1f\x7f]*)?", re.IGNORECASE)


class ParameterType(IntEnum):
    """What a value may be. The numbers are stored; they never change and equal those of the protos."""

    STRING = 1
    NUMBER = 2
    DATE = 3
    URL = 4
    PHONE = 5
    BOOLEAN = 6
    CHOICE = 7


@value
class Parameter:
    """A parameter. `characters_max` counts for a STRING, `choices` for a CHOICE. `default` is never required's."""

    name: str
    type: ParameterType = ParameterType.STRING
    characters_max: int = VALUE_CHARACTERS_MAX
    choices: tuple[str, ...] = ()
    required: bool = False
    default: str = ""
    description: str = ""

    def problem(self, given: str) -> str:
        """The rule that a value breaks; empty when it breaks none."""
        match self.type:
            case ParameterType.STRING:
                if len(given) > self.characters_max:
                    return f"has {len(given):,} characters; at most {self.characters_max:,} are allowed"
                return ""
            case ParameterType.CHOICE:
                return "" if given in self.choices else "is none of the parameter's choices"
            case _:
                return "" if _fits(self.type, given) else _RULES[self.type]


_RULES = {
    ParameterType.NUMBER: 'must be a number, as "-12.50"',
    ParameterType.DATE: 'must be a day, as "2026-12-24"',
    ParameterType.URL: "must be an http or https URL",
    ParameterType.PHONE: 'must be a phone number in E.164, as "+447700900123"',
    ParameterType.BOOLEAN: 'must be "true" or "false"',
}


def _fits(kind: ParameterType, given: str) -> bool:
    match kind:
        case ParameterType.NUMBER:
            return len(given) <= NUMBER_CHARACTERS_MAX and _NUMBER.fullmatch(given) is not None
        case ParameterType.DATE:
            return _is_day(given)
        case ParameterType.URL:
            return _URL.fullmatch(given) is not None
        case ParameterType.PHONE:
            return normal_number(given) == given
        case _:
            return given in {"true", "false"}


def _is_day(given: str) -> bool:
    if not _DATE.fullmatch(given):
        return False
    try:
        date.fromisoformat(given)
    except ValueError:
        return False
    return True
