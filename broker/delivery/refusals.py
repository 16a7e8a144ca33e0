"""Why intake refuses a submission as a whole, as an error that names its fields."""

from broker.domain.personalising import Refused, TextsBroken, TokensMissing, TooManyUnits
from broker.errors import BrokerError, ErrorReason, Violation


def refusal(refused: Refused) -> BrokerError:
    """The error for a plan that cannot be."""
    match refused:
        case TooManyUnits():
            return _too_many_units(refused)
        case TokensMissing(missing):
            violations = [
                Violation(f"recipients[{index}].tokens", f"lacks a value for ${name}$")
                for index, names in missing
                for name in names
            ]
            return BrokerError(ErrorReason.TOKEN_MISSING, violations=violations)
        case TextsBroken(found):
            violations = [
                Violation(f"content.{broken.path}", broken.rule)
                if index is None
                else Violation(
                    f"recipients[{index}].tokens", f"with them content.{broken.path} {broken.rule}"
                )
                for index, broken in found
            ]
            return BrokerError(ErrorReason.INVALID_REQUEST, violations=violations)


def _too_many_units(found: TooManyUnits) -> BrokerError:
    rule = f"needs {found.needed} units; at most {found.allowed} are allowed"
    violation = Violation("content.sms.text", rule)
    if found.recipient_index is not None:
        violation = Violation(
            f"recipients[{found.recipient_index}].tokens", f"with them content.sms.text {rule}"
        )
    return BrokerError(
        ErrorReason.TOO_MANY_UNITS,
        f"the text {rule}",
        violations=[violation],
        metadata={"units_needed": str(found.needed), "units_max": str(found.allowed)},
    )
