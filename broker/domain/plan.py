"""What was decided about a submission: its plan, the messages of it, and what the rules of an account said of each."""

from collections.abc import Mapping
from enum import IntEnum

from broker.domain.fallback import PlannedWay
from broker.domain.frequency import FrequencyCap
from broker.domain.lifecycle import Step
from broker.domain.linking import NewLink
from broker.domain.prices import Quote
from broker.domain.submission import Result, Submission
from broker.domain.value import value


class PolicyRule(IntEnum):
    """Which rule it was. The numbers equal those of the protos."""

    QUIET_HOURS = 1
    FREQUENCY_CAP = 2
    PLUGIN = 3


class PolicyOutcome(IntEnum):
    """What it said. The numbers equal those of the protos."""

    ALLOWED = 1
    WAITS = 2
    REFUSED = 3
    IGNORED = 4
    """The request asked not to be held to it."""


@value
class PolicyFinding:
    """What one rule said of a message, and why for people; `plugin` is whose rule it is."""

    rule: PolicyRule
    outcome: PolicyOutcome
    detail: str = ""
    plugin: str = ""


@value
class PlannedMessage:
    """One recipient's message as it will be stored, refused or not. Times are microseconds UTC.

    `candidates` are the provider instances that may carry it, the one to try first first. `tokens` are the
    recipient's own values for the content's placeholders; None: it has none of its own. `further` are the ways
    by which it may go on, where its caller allows it; `policy` is what rules said that are about it.
    `sender` is whom it is from where that is another one than the submission's.
    `quote` is what it may cost; None: it is free.
    """

    message_id: int
    step: Step
    result: Result
    expire_at_us: int
    data: str
    candidates: tuple[str, ...]
    tokens: Mapping[str, str] | None = None
    further: tuple[PlannedWay, ...] = ()
    policy: tuple[PolicyFinding, ...] = ()
    quote: Quote | None = None
    sender: str | None = None


@value
class Plan:
    """A submission with what becomes of each recipient, by the routes of `route_version`.

    `pays`: what its messages may cost is held of the account's credit. `cap` is that of the account's policy, where
    messages of this traffic count for it.
    """

    submission_id: int
    submission: Submission
    accepted_at_us: int
    fingerprint: str
    messages: tuple[PlannedMessage, ...]
    route_version: int
    pays: bool = False
    links: tuple[NewLink, ...] = ()
    cap: FrequencyCap | None = None

    @property
    def hold(self) -> int:
        """What is to be held, in micros: for refused messages nothing."""
        return sum([each.quote.micros for each in self.messages if each.quote]) if self.pays else 0
