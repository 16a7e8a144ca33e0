"""Values for `$Name$` placeholders, checked."""

from collections.abc import Mapping

from broker.api.convert.findings import Findings
from broker.domain.tokens import NAME_CHARACTERS_MAX, TOKENS_MAX, VALUE_CHARACTERS_MAX, is_name

SHOWN_CHARACTERS_MAX = 64


def tokens_of(field: str, given: Mapping[str, str], findings: Findings) -> Mapping[str, str]:
    """The values by name."""
    tokens = dict(given)
    if not findings.count(field, len(tokens), TOKENS_MAX):
        return {}
    for name, said in tokens.items():
        if not is_name(name):
            rule = f"{name[:SHOWN_CHARACTERS_MAX]!r} is no name: 1 to {NAME_CHARACTERS_MAX} letters, digits and _"
            findings.broke(field, rule)
        elif len(said) > VALUE_CHARACTERS_MAX or "\0" in said:
            findings.text(f"{field}[{name}]", said, VALUE_CHARACTERS_MAX)
    return tokens
