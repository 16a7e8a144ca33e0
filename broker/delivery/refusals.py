"""Why intake refuses a submission as a whole, as an error that names its fields."""

from broker.domain.linking import LinksRefused
from broker.domain.personalising import Refused, TextsBroken, TokensMissing, TooManyUnits, ValuesMisfit
from broker.domain.style import StyleRefused
from broker.domain.submission import Submission
from broker.errors import BrokerError, ErrorReason, Violation


def refusal(submission: Submission, refused: Refused | StyleRefused | LinksRefused) -> BrokerError:
    """The error for a plan that cannot be."""
    body = "content" if submission.template is None else "template"
    match refused:
        case LinksRefused(field, rule):
            return BrokerError(ErrorReason.INVALID_REQUEST, violations=[Violation(field, rule)])
        case TooManyUnits():
            return _too_many_units(body, refused)
        case StyleRefused(rule):
            violations = [_of_text(body, None, "email.style_class", rule)]
            return BrokerError(ErrorReason.INVALID_REQUEST, violations=violations)
        case TokensMissing(missing):
            violations = [
                Violation(f"recipients[{index}].tokens", f"lacks a value for ${name}$")
                for index, names in missing
                for name in names
            ]
            return BrokerError(ErrorReason.TOKEN_MISSING, violations=violations)
        case ValuesMisfit(misfits):
            violations = [
                Violation(f"recipients[{index}].tokens[{name}]", rule) for index, name, rule in misfits
            ]
            return BrokerError(ErrorReason.INVALID_REQUEST, violations=violations)
        case TextsBroken(found):
            violations = [_of_text(body, index, broken.path, broken.rule) for index, broken in found]
            return BrokerError(ErrorReason.INVALID_REQUEST, violations=violations)


def _too_many_units(body: str, found: TooManyUnits) -> BrokerError:
    rule = f"needs {found.needed} units; at most {found.allowed} are allowed"
    return BrokerError(
        ErrorReason.TOO_MANY_UNITS,
        f"the text {rule}",
        violations=[_of_text(body, found.recipient_index, "sms.text", rule)],
        metadata={"units_needed": str(found.needed), "units_max": str(found.allowed)},
    )


def _of_text(body: str, index: int | None, path: str, rule: str) -> Violation:
    """A rule that a text breaks once it is filled in: for all, or for one recipient."""
    if index is not None:
        return Violation(f"recipients[{index}].tokens", f"with them {body}.{path} {rule}")
    return Violation(f"content.{path}", rule) if body == "content" else Violation(body, f"its {path} {rule}")
