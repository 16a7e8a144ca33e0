"""What planning asks about a way to a recipient: whom a message may be from, and what may carry it."""

from collections.abc import Callable

from broker.domain.submission import Submission
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Reason

FindCandidates = Callable[[Submission, Channel, str, int], tuple[str, ...]]
"""The provider instances that may carry a submission on a channel to a normal address, in the order to try
them; none when there are none. The message's id decides where weights leave it to chance.
"""


@value
class Carried:
    """The candidates for a message that is from another sender than its submission names."""

    candidates: tuple[str, ...]
    sender: str


@value
class SenderRefused:
    """Why nothing can be sent that way, for programs and for people."""

    reason: Reason
    detail: str


Carriers = tuple[str, ...] | Carried | SenderRefused | Reason
"""Candidates, of which there is at least one; or why there are none."""

FindCarriers = Callable[[Submission, Channel, str, int, FindCandidates], Carriers]
"""Candidates, and the sender, by the rules for an account's senders; the last argument is asked for routes."""
