"""What recipients want of senders."""

from dataclasses import dataclass
from datetime import datetime

from waypost.vocabulary import OptInState


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamOptIn:
    """What a provider that keeps opt-ins itself answered to the last change.

    pending: it has not answered yet, and is told again until it has.
    """

    provider: str
    pending: bool
    accepted: bool
    code: str
    text: str
    answer_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptIn:
    """What is in force between a sender and a recipient.

    sender: empty for every sender of the account.
    since: None where nothing was ever said.
    message: what to tell the recipient, in English, or in the language of the keyword that `opt_in` was given.
    """

    sender: str
    recipient: str
    state: OptInState
    since: datetime | None
    message: str
    upstream: tuple[UpstreamOptIn, ...]
