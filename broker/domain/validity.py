"""How long a message may be given to a provider."""

from broker.domain.submission import Submission
from broker.domain.vocabulary import Traffic

VALIDITY_DEFAULT_S = 129_600
VALIDITY_PASSCODE_DEFAULT_S = 600

_PASSCODE = Traffic.PASSCODE


def validity_us(submission: Submission) -> int:
    """The validity of a submission's messages, from the later of acceptance and schedule time."""
    if submission.validity_us is not None:
        return submission.validity_us
    seconds = VALIDITY_PASSCODE_DEFAULT_S if submission.traffic is _PASSCODE else VALIDITY_DEFAULT_S
    return seconds * 1_000_000
