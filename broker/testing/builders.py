"""Values that tests start from: a clock to set, submissions, plans, and the operator's numbers.

Each builder answers something right; a test changes what it is about and nothing else.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.domain.carrying import FindCandidates
from broker.domain.decision import DeliveryPolicy
from broker.domain.grounds import Grounds
from broker.domain.ids import first_id_at
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.prices import FREE, Prices
from broker.domain.reaching import Reached
from broker.domain.retry import RetryPolicy
from broker.domain.submission import Content, Recipient, Submission
from broker.domain.vocabulary import Channel
from broker.storage.acceptance import Acceptance
from broker.testing.clock import NOW_US, SECOND_US, ManualClock

__all__ = [
    "DAY_US",
    "NOW_US",
    "POLICY",
    "PROVIDER",
    "REMEMBER_US",
    "SECOND_US",
    "IdCounter",
    "ManualClock",
    "acceptance",
    "everywhere",
    "phones",
    "planned",
    "sms",
    "sms_and_email",
    "submission",
]

PROVIDER = "acme"
DAY_US = 86_400 * SECOND_US
REMEMBER_US = DAY_US
"""How long a request_id is remembered, as by default."""

POLICY = DeliveryPolicy(retry=RetryPolicy(attempts_max=3, base_s=1.0, cap_s=8.0))
"""Few attempts, so that a test reaches the last one soon."""


Candidates = tuple[str, ...] | Mapping[Channel, tuple[str, ...]]
"""The instances for messages on all channels, or on each."""


class IdCounter:
    """Rising ids from the moment that tests begin."""

    def __init__(self, time_us: int = NOW_US) -> None:
        self._next = first_id_at(time_us // 1_000)

    def take(self, count: int) -> list[int]:
        """The next `count` ids."""
        start = self._next
        self._next += count
        return list(range(start, start + count))


_CODES = itertools.count(0x1234_5678_9ABC_DEF0)


def sms(text: str = "Your parcel is on its way") -> Content:
    """What is said by SMS."""
    return Content({Channel.SMS: {"text": text}})


def sms_and_email(text: str = "Your parcel is on its way") -> Content:
    """What is said by SMS, and by email."""
    return Content({Channel.SMS: {"text": text}, Channel.EMAIL: {"subject": "Your parcel", "text": text}})


def phones(count: int) -> tuple[Recipient, ...]:
    """As many recipients with numbers of their own."""
    return tuple(Recipient(phone_number=f"+44770090{number:04d}") for number in range(count))


def submission(**changes: Any) -> Submission:
    """An SMS to one recipient from account 1, with the named fields changed."""
    fields: dict[str, Any] = {"account_id": 1, "recipients": phones(1), "content": sms()}
    return Submission(**(fields | changes))


def everywhere(_asked: Submission, _channel: Channel, _address: str, _message_id: int) -> tuple[str, ...]:
    """The one provider serves every channel."""
    return (PROVIDER,)


def planned(
    asked: Submission,
    ids: Sequence[int] | None = None,
    *,
    now_us: int = NOW_US,
    units_max: int = 10,
    find_candidates: FindCandidates = everywhere,
    policy: AccountPolicy = NO_POLICY,
    people: Sequence[Reached] | None = None,
    prices: Prices = FREE,
) -> Plan:
    """The plan for a submission that fits."""
    given = ids or IdCounter(now_us).take(1 + len(asked.recipients))
    grounds = Grounds(
        now_us,
        units_max,
        find_candidates,
        policy=policy,
        prices=prices,
        draw_code=lambda: next(_CODES),
    )
    decided = plan(asked, given, grounds, people)
    if not isinstance(decided, Plan):
        raise TypeError(f"the submission does not fit: {decided}")
    return decided


def acceptance(
    asked: Submission,
    ids: IdCounter,
    *,
    now_us: int = NOW_US,
    remember_us: int = REMEMBER_US,
    candidates: Candidates = (PROVIDER,),
    policy: AccountPolicy = NO_POLICY,
    prices: Prices = FREE,
) -> Acceptance:
    """What `accept` takes for a submission whose messages may go through `candidates`."""
    by_channel = candidates if isinstance(candidates, Mapping) else dict.fromkeys(Channel, candidates)
    made = planned(
        asked,
        ids.take(1 + len(asked.recipients)),
        now_us=now_us,
        find_candidates=lambda _asked, channel, *_: by_channel.get(channel, ()),
        policy=policy,
        prices=prices,
    )
    return Acceptance(made, remember_us)
