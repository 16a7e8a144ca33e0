"""SendOptions of a request: what they become, and which rules they keep."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from broker.api.convert.requests import submission_of
from broker.domain.fallback import ChannelFallback
from broker.domain.submission import Submission
from broker.errors import BrokerError
from waypost.v1 import channel_pb2, content_pb2, recipient_pb2, send_pb2

NOW_US = 1_790_000_000_000_000


def asked(options: send_pb2.SendOptions, **changes: Any) -> Submission:
    """A request with these options, as a submission."""
    fields: dict[str, Any] = {
        "recipients": [recipient_pb2.Recipient(phone_number="+447700900123", email="ada@example.com")],
        "content": content_pb2.Content(
            sms=content_pb2.SmsContent(text="hello"),
            email=content_pb2.EmailContent(subject="hello", text="hello"),
        ),
    }
    return submission_of(send_pb2.SendRequest(**(fields | changes), options=options), 1, NOW_US)


def refusals(options: send_pb2.SendOptions, **changes: Any) -> list[str]:
    """The fields of a request that break a rule."""
    with pytest.raises(BrokerError) as raised:
        asked(options, **changes)
    return [each.field for each in raised.value.violations]


def after(seconds: int) -> send_pb2.SendOptions:
    """Going on after a time."""
    return send_pb2.SendOptions(allow_channel_fallback=True, fallback_after=Duration(seconds=seconds))


def test_without_options_nothing_goes_on() -> None:
    """Empty options are none."""
    assert asked(send_pb2.SendOptions()).fallback is None


def test_a_wish_to_go_on_has_a_time_or_none() -> None:
    """Without one only failures count."""
    assert ChannelFallback() == asked(send_pb2.SendOptions(allow_channel_fallback=True)).fallback
    assert ChannelFallback(60_000_000) == asked(after(60)).fallback


@pytest.mark.parametrize("seconds", [0, 604_801], ids=["too short", "too long"])
def test_a_time_out_of_bounds_is_refused(seconds: int) -> None:
    """1 s to 7 days."""
    assert ["options.fallback_after"] == refusals(after(seconds), validity=Duration(seconds=604_800))


@pytest.mark.parametrize(("seconds", "fits"), [(599, True), (600, False)])
def test_a_time_that_validity_never_lets_come_is_refused(seconds: int, fits: bool) -> None:
    """Also where the validity is that of the traffic."""
    passcode = channel_pb2.TRAFFIC_PASSCODE
    if fits:
        assert asked(after(seconds), traffic=passcode).fallback is not None
    else:
        assert ["options.fallback_after"] == refusals(after(seconds), traffic=passcode)
        assert ["options.fallback_after"] == refusals(after(seconds), validity=Duration(seconds=600))


def test_a_time_needs_the_permission() -> None:
    """It says when, not whether."""
    options = send_pb2.SendOptions(fallback_after=Duration(seconds=60))
    assert ["options.fallback_after"] == refusals(options)


@pytest.mark.parametrize(
    "changes",
    [
        {"content": content_pb2.Content(sms=content_pb2.SmsContent(text="hello"))},
        {"channels": [channel_pb2.CHANNEL_SMS, channel_pb2.CHANNEL_PUSH]},
    ],
    ids=["one content", "one of the channels"],
)
def test_one_channel_has_nothing_to_go_on_by(changes: dict[str, Any]) -> None:
    """The wish is refused rather than ignored."""
    options = send_pb2.SendOptions(allow_channel_fallback=True)
    assert ["options.allow_channel_fallback"] == refusals(options, **changes)


def test_quiet_hours_can_be_ignored() -> None:
    """For this request."""
    assert asked(send_pb2.SendOptions(ignore_quiet_hours=True)).ignore_quiet_hours
    assert not asked(send_pb2.SendOptions()).ignore_quiet_hours


CONTACT = recipient_pb2.Recipient(contact_id="0000000000007")
CAPPED = send_pb2.SendOptions(cap_frequency=True)


def test_a_cap_is_for_promotional_messages_to_contacts() -> None:
    """Named by either id."""
    external = recipient_pb2.Recipient(external_id="PL-7")
    assert asked(CAPPED, traffic=2, recipients=[CONTACT, external]).cap_frequency
    assert not asked(send_pb2.SendOptions(), traffic=2, recipients=[CONTACT]).cap_frequency


@pytest.mark.parametrize("traffic", [0, 1, 3, 4])
def test_a_cap_is_refused_for_other_traffic(traffic: int) -> None:
    """Also where none is named, which is transactional."""
    assert ["options.cap_frequency"] == refusals(CAPPED, traffic=traffic, recipients=[CONTACT])


def test_a_cap_is_refused_for_bare_addresses() -> None:
    """The rule names the first of them."""
    number = recipient_pb2.Recipient(phone_number="+447700900123")
    with pytest.raises(BrokerError) as raised:
        asked(CAPPED, traffic=2, recipients=[CONTACT, number, number])
    (violation,) = raised.value.violations
    assert "options.cap_frequency" == violation.field
    assert "recipients[1]" in violation.rule


@pytest.mark.parametrize("option", [each.name for each in send_pb2.SendOptions.DESCRIPTOR.fields])
def test_no_option_is_dropped_silently(option: str) -> None:
    """Each one changes what is asked for, or breaks a rule."""
    given: Any = {"short_link_domain": "go.example.org", "callback_method": 2}.get(option, True)
    if option == "fallback_after":
        given = Duration(seconds=60)
    options = send_pb2.SendOptions(**{option: given})
    fields: dict[str, Any] = {"traffic": 2, "recipients": [CONTACT]}
    if option in {"callback_method", "fallback_after"}:
        assert [f"options.{option}"] == refusals(options, **fields)
    else:
        assert asked(options, **fields) != asked(send_pb2.SendOptions(), **fields)
