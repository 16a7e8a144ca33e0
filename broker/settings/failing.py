"""What is said of settings that cannot be used."""

from collections.abc import Sequence

from pydantic import (
    ValidationError,
)


class SettingsError(Exception):
    """The settings cannot be used; the message names the field and the rule."""


def broken_rules(error: ValidationError, place: str = "") -> Sequence[str]:
    """A line for each: the field, below `place`, and the rule. Never the input, which may hold a secret."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    prefix = (place,) if place else ()
    return [f"{'.'.join(map(str, (*prefix, *each['loc'])))}: {each['msg']}" for each in found]
