"""Callbacks: who wants an event, and what follows from how a call went.

A callback is one event for one endpoint. An endpoint is a webhook, or for the URLs of single messages an
origin (scheme, host and port) of one account. Each callback has its own backoff, and each endpoint one
besides: when several calls in a row fail, the endpoint is held, and what waits for it waits without
being tried; one call at a time then finds out whether it is back.
"""

from collections.abc import Sequence
from enum import IntEnum

from broker.domain.callback_url import CallbackMethod
from broker.domain.ids import format_id
from broker.domain.lifecycle import Fact
from broker.domain.retry import RetryPolicy, next_round_at
from broker.domain.value import value
from broker.domain.vocabulary import EventKind

HOLD_AFTER_FAILURES = 3
"""One failure in a while is that call's; this many in a row are the endpoint's."""


class DisabledFor(IntEnum):
    """Why a webhook is no longer called. Numbers are stored and equal those of the protos."""

    GONE = 1
    """It answered 410."""


@value
class Webhook:
    """An account's endpoint for its events. Times are microseconds since 1970 UTC.

    Empty `kinds` and `facts` mean all; `facts` narrows events about messages. Events up to
    `after_sequence` came before it.
    """

    webhook_id: int
    account_id: int
    url: str
    description: str
    kinds: tuple[EventKind, ...]
    facts: tuple[Fact, ...]
    created_at_us: int
    after_sequence: int = 0
    disabled_at_us: int | None = None
    disabled_for: DisabledFor | None = None
    waiting: int = 0
    failures: int = 0

    def wants(self, event: "FollowedEvent") -> bool:
        """Whether it is called for this event."""
        return (
            self.disabled_for is None
            and not event.exclusive
            and event.sequence > self.after_sequence
            and (not self.kinds or event.kind in self.kinds)
            and (event.kind is not EventKind.MESSAGE or not self.facts or event.fact in self.facts)
        )


@value
class FollowedEvent:
    """What of an event decides who is called.

    `url` is the message's own, empty when it has none. `exclusive`: it alone is called, and no webhook.
    """

    sequence: int
    message_id: int
    kind: EventKind
    fact: Fact | None
    url: str
    method: CallbackMethod | None = None
    exclusive: bool = False


@value
class Succeeded:
    """2xx."""


@value
class Failed:
    """No answer, or another one. `why` is one of a few words for metrics."""

    why: str
    retry_after_s: float | None = None


@value
class Gone:
    """410: whoever is there wants no more of this."""


@value
class Unattempted:
    """It was not called after all: the endpoint is held, or the broker stops."""


CallOutcome = Succeeded | Failed | Gone | Unattempted


@value
class CallbackPolicy:
    """The operator's numbers: `retry` for a callback, `hold` for an endpoint."""

    retry: RetryPolicy
    hold: RetryPolicy


@value
class Health:
    """How an endpoint does: calls that failed in a row, and until when it is left alone."""

    failures: int = 0
    held_until_us: int = 0

    @property
    def doubtful(self) -> bool:
        """Whether one call at a time has to find out if it is back."""
        return self.failures >= HOLD_AFTER_FAILURES


def health_after(
    health: Health, outcome: CallOutcome, policy: CallbackPolicy, *, now_us: int, chance: float
) -> Health:
    """How the endpoint does after one more call. `chance` is a random number in [0, 1)."""
    match outcome:
        case Succeeded() | Gone():
            return Health()
        case Unattempted():
            return health
        case Failed(retry_after_s=retry_after_s):
            failures = health.failures + 1
            if failures < HOLD_AFTER_FAILURES and retry_after_s is None:
                return Health(failures, health.held_until_us)
            round_ = max(1, failures - HOLD_AFTER_FAILURES + 1)
            held_until_us = next_round_at(
                policy.hold, rounds=round_, now_us=now_us, retry_after_s=retry_after_s, chance=chance
            )
            return Health(failures, max(health.held_until_us, held_until_us))


def retry_at(
    policy: CallbackPolicy,
    outcome: Failed,
    *,
    attempts: int,
    expire_at_us: int,
    now_us: int,
    chance: float,
) -> int:
    """When a callback is due again after its failed attempt number `attempts`, at most when it is given up."""
    at_us = next_round_at(
        policy.retry, rounds=attempts, now_us=now_us, retry_after_s=outcome.retry_after_s, chance=chance
    )
    return min(at_us, expire_at_us)


def webhook_header_id(account_id: int, sequence: int, webhook_id: int) -> str:
    """The `webhook-id` of a callback: the same for each attempt; `webhook_id` is 0 for a message's own URL."""
    place = format_id(webhook_id) if webhook_id else "message"
    return f"evt_{format_id(account_id)}_{sequence}_{place}"


def wanted_by(webhooks: Sequence[Webhook], event: FollowedEvent) -> list[int]:
    """The webhooks that an event goes to."""
    return [webhook.webhook_id for webhook in webhooks if webhook.wants(event)]
