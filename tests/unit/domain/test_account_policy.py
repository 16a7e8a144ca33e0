"""An account's policy: what it may say, and what it decides."""

from typing import cast

import pytest

from broker.domain.account_policy import COUNTRIES_MAX, NO_POLICY, AccountPolicy, policy_problems
from broker.domain.submission import Content, Recipient
from broker.domain.vocabulary import Channel, Reason
from broker.testing.builders import planned, submission

GB, FR = "+447700900123", "+33612345678"


def refusal_of(number: str, policy: AccountPolicy) -> Reason | None:
    """What an account with this policy is told of a number."""
    asked = submission(recipients=(Recipient(phone_number=number),))
    (message,) = planned(asked, policy=policy).messages
    return message.result.reason


def test_no_policy_breaks_no_rule() -> None:
    """Nor does one that uses every field."""
    assert [] == policy_problems(NO_POLICY)
    assert [] == policy_problems(AccountPolicy("GB", ("GB", "FR")))


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (AccountPolicy(default_region="gb"), "default_region"),
        (AccountPolicy(default_region="XX"), "default_region"),
        (AccountPolicy(allowed_countries=("GB", "England")), "allowed_countries[1]"),
        (AccountPolicy(allowed_countries=("GB",) * (COUNTRIES_MAX + 1)), "allowed_countries"),
        (AccountPolicy(channels=(Channel.SMS, Channel.SMS)), "channels"),
        (AccountPolicy(channels=(Channel.SMS, cast("Channel", 99))), "channels[1]"),
    ],
)
def test_a_broken_rule_names_its_field(policy: AccountPolicy, field: str) -> None:
    """And no other."""
    assert [field] == [name for name, _ in policy_problems(policy)]


def test_as_many_countries_as_allowed() -> None:
    """The other side of the limit."""
    assert [] == policy_problems(AccountPolicy(allowed_countries=("GB",) * COUNTRIES_MAX))


def test_numbers_of_other_countries_are_refused() -> None:
    """Each recipient on its own; an account that lists none writes to all (C17)."""
    policy = AccountPolicy(allowed_countries=("GB",))
    assert [None, Reason.COUNTRY_NOT_ALLOWED] == [refusal_of(number, policy) for number in (GB, FR)]
    assert [None, None] == [refusal_of(number, NO_POLICY) for number in (GB, FR)]


def test_countries_are_of_numbers_alone() -> None:
    """A mailbox has none."""
    assert AccountPolicy(allowed_countries=("GB",)).allows("ada@example.fr", Channel.EMAIL)


def test_national_numbers_are_taken_where_a_region_is_set() -> None:
    """And refused where none is."""
    asked = submission(recipients=(Recipient(phone_number="07700 900123"),))
    (message,) = planned(asked, policy=AccountPolicy(default_region="GB")).messages
    assert (None, GB) == (message.result.reason, message.result.recipient)
    assert Reason.INVALID_RECIPIENT is refusal_of("07700 900123", NO_POLICY)


@pytest.mark.parametrize(
    ("preferred", "asked", "expected"),
    [
        ((), (), Channel.SMS),
        ((Channel.EMAIL,), (), Channel.EMAIL),
        ((Channel.PUSH, Channel.EMAIL), (), Channel.EMAIL),
        ((Channel.EMAIL,), (Channel.SMS,), Channel.SMS),
    ],
)
def test_the_account_says_which_channel_comes_first(
    preferred: tuple[Channel, ...], asked: tuple[Channel, ...], expected: Channel
) -> None:
    """Where there is content for it, and the request does not say (C12)."""
    everybody = Recipient(phone_number=GB, email="ada@example.com")
    both = Content({Channel.SMS: {"text": "hello"}, Channel.EMAIL: {"subject": "hello"}})
    given = submission(recipients=(everybody,), content=both, channels=asked)
    (message,) = planned(given, policy=AccountPolicy(channels=preferred)).messages
    assert expected == message.result.channel
