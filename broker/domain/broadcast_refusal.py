"""What a whole Send would be refused for is, in a broadcast, the refusal of one recipient."""

from broker.domain.lifecycle import Fact, begin
from broker.domain.plan import PlannedMessage
from broker.domain.submission import Result, Submission
from broker.domain.vocabulary import Reason

_REFUSED = begin(Fact.REFUSED)
_REASONS = {"TOKEN_MISSING": Reason.TOKEN_MISSING, "TOO_MANY_UNITS": Reason.TOO_MANY_UNITS}


def reason_of(name: str) -> Reason:
    """The recipient's reason for what the call would be refused for, by the name of its ErrorReason."""
    return _REASONS.get(name, Reason.CONTENT_REFUSED)


def refused(
    submission: Submission, message_id: int, reason: Reason, detail: str, now_us: int, contact_id: int | None
) -> PlannedMessage:
    """The message of the one recipient of a submission who is told nothing."""
    (recipient,) = submission.recipients
    address = recipient.phone_number or recipient.email or recipient.device_token or ""
    result = Result(
        0,
        message_id,
        _REFUSED.state,
        address,
        None,
        now_us,
        recipient.client_reference or submission.client_reference,
        reason=reason,
        detail=detail,
        contact_id=contact_id,
    )
    return PlannedMessage(message_id, _REFUSED, result, now_us, recipient.data or submission.data, ())
