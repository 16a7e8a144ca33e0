"""SendRequest → Submission, each rule from both sides: who it is for, what it says, and what no bytes can do."""

import contextlib

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from broker.api.convert.requests import submission_of
from broker.domain.callback_url import CallbackMethod
from broker.domain.directory import ContactRef, Named
from broker.domain.ids import format_id
from broker.domain.submission import Callback, Campaign, Content, Recipient, Submission, TemplateRef
from broker.domain.vocabulary import Channel, Delegation, Guarantee, Traffic
from broker.errors import BrokerError, ErrorReason
from tests.unit.api.converting import NOW_S, NOW_US, broken, refused
from waypost.v1 import recipient_pb2, send_pb2


def test_every_field_reaches_the_submission(sms):
    """In the domain's words and units."""
    request = sms(
        request_id="r1",
        recipients=[
            {
                "phone_number": "+44 7700 900123",
                "email": "ada@example.org",
                "device_token": "t",
                "schedule_time": Timestamp(seconds=NOW_S + 60),
                "client_reference": "own",
                "data": "own data",
                "delegation": recipient_pb2.DELEGATION_DIRECT,
            }
        ],
        sender="Shop",
        traffic=3,
        channels=[3, 1],
        guarantee=2,
        schedule_time=Timestamp(seconds=NOW_S + 30, nanos=1_999),
        validity=Duration(seconds=60, nanos=500_000_000),
        client_reference="order-1",
        campaign={"id": "spring", "name": "Spring"},
        data="{}",
        tags=[" VIP ", "vip", "new"],
        reply_to_message_id=format_id(7),
        provider="sandbox",
        origin="crm",
        validate_only=True,
        callback_url="https://example.org/cb?id={message_id}",
        options={"callback_method": 2},
    )
    expected = Submission(
        account_id=5,
        recipients=(
            Recipient("+44 7700 900123", "ada@example.org", "t", (NOW_S + 60) * 1_000_000, "own", "own data"),
        ),
        content=Content({Channel.SMS: {"text": "Your parcel is on its way"}}),
        request_id="r1",
        sender="Shop",
        traffic=Traffic.PASSCODE,
        channels=(Channel.EMAIL, Channel.SMS),
        guarantee=Guarantee.AT_MOST_ONCE,
        schedule_at_us=(NOW_S + 30) * 1_000_000 + 1,
        validity_us=60_500_000,
        client_reference="order-1",
        campaign=Campaign("spring", "Spring"),
        data="{}",
        tags=("vip", "new"),
        reply_to_message_id=7,
        provider="sandbox",
        origin="crm",
        callback=Callback("https://example.org/cb?id={message_id}", CallbackMethod.GET),
        validate_only=True,
    )
    assert expected == submission_of(request, 5, NOW_US)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"external_id": "PL-1"}, Named(ContactRef(external_id="PL-1"))),
        ({"external_id": "PL-1", "delegation": 1}, Named(ContactRef(external_id="PL-1"))),
        (
            {"contact_id": format_id(7), "delegation": 2},
            Named(ContactRef(7), Delegation.PRIORITY_CONTACT),
        ),
        (
            {"contact_id": format_id(7).lower(), "delegation": 3},
            Named(ContactRef(7), Delegation.ALL_CONTACTS),
        ),
        ({"contact_id": "nobody"}, Named(ContactRef(-1))),
    ],
)
def test_a_recipient_may_be_a_contact(sms, given, expected):
    """What is no id names nobody, and that is the recipient's own affair."""
    asked = submission_of(sms(recipients=[given, {"phone_number": "+447700900123"}]), 1, NOW_US)
    assert (Recipient(contact=expected), Recipient("+447700900123")) == asked.recipients
    assert asked.names_contacts
    assert not submission_of(sms(), 1, NOW_US).names_contacts


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"contact_id": "a", "external_id": "b"}, ""),
        ({"contact_id": "a", "phone_number": "+447700900123"}, ""),
        ({"external_id": "a", "email": "ada@example.org"}, ""),
        ({"external_id": "a" * 101}, ".external_id"),
        ({"external_id": "a\nb"}, ".external_id"),
        ({"external_id": "a", "delegation": 4}, ".delegation"),
        ({"phone_number": "+447700900123", "delegation": 2}, ".delegation"),
        ({"email": "ada@example.org", "delegation": 3}, ".delegation"),
    ],
)
def test_a_recipient_is_a_contact_or_has_addresses(sms, given, field):
    """One of both, by one id; only a contact has somebody behind it."""
    assert {f"recipients[0]{field}"} == broken(sms(recipients=[given]))


@pytest.mark.parametrize(
    ("field", "characters_max"),
    [
        ("request_id", 128),
        ("sender", 254),
        ("client_reference", 128),
        ("data", 2_048),
        ("provider", 128),
        ("origin", 64),
    ],
)
def test_a_text_field_has_its_limit_and_no_nul(sms, field, characters_max):
    """At the limit it passes, one above it does not; characters are counted, not bytes."""
    longest = "ä" * characters_max
    assert longest == getattr(submission_of(sms(**{field: longest}), 1, NOW_US), field)
    reason, rules = refused(sms(**{field: longest + "a"}))
    rule = f"has {characters_max + 1} characters; at most {characters_max} are allowed"
    assert (ErrorReason.INVALID_REQUEST, {field: rule}) == (reason, rules)
    assert {field} == broken(sms(**{field: "a\0b"}))


@pytest.mark.parametrize("field", ["request_id", "sender", "client_reference", "provider", "origin"])
@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028"])
def test_a_line_has_no_control_characters(sms, field, character):
    """They would forge headers and log lines."""
    assert {field} == broken(sms(**{field: f"a{character}b"}))


@pytest.mark.parametrize("text", ["a b", "ä", "日本", "a\u00a0b", "\u200d👩", "\ue000"])
def test_a_line_may_hold_any_other_character(sms, text):
    """Printable or not."""
    assert text == submission_of(sms(client_reference=text), 1, NOW_US).client_reference


def test_a_message_may_name_a_pool_instead_of_a_sender(sms):
    """A plain name, and not both."""
    assert "care-1" == submission_of(sms(sender_pool="care-1"), 1, NOW_US).sender_pool
    assert "" == submission_of(sms(), 1, NOW_US).sender_pool
    assert "p" * 64 == submission_of(sms(sender_pool="p" * 64), 1, NOW_US).sender_pool
    assert {"sender_pool"} == broken(sms(sender_pool="p" * 65))
    assert {"sender_pool"} == broken(sms(sender_pool="two words"))
    assert {"sender_pool"} == broken(sms(sender_pool="care", sender="Shop"))


def test_data_may_have_lines(sms):
    """It is returned untouched."""
    assert "a\n\tb" == submission_of(sms(data="a\n\tb"), 1, NOW_US).data


@pytest.mark.parametrize(
    ("tokens", "rule"),
    [
        ({"n" * 64: "v" * 2_000}, None),
        ({f"n{number}": "" for number in range(100)}, None),
        ({f"n{number}": "" for number in range(101)}, ("", "has 101 entries; at most 100 are allowed")),
        ({"n" * 65: ""}, ("", f"{'n' * 64!r} is no name: 1 to 64 letters, digits and _")),
        ({"": ""}, ("", "'' is no name: 1 to 64 letters, digits and _")),
        ({"a-b": ""}, ("", "'a-b' is no name: 1 to 64 letters, digits and _")),
        ({"a": "v" * 2_001}, ("[a]", "has 2001 characters; at most 2000 are allowed")),
        ({"a": "\0"}, ("[a]", "must not contain the NUL character (U+0000)")),
    ],
)
def test_tokens_have_limits(sms, tokens, rule):
    """Of the request and of each recipient, both sides."""
    shared = sms(tokens=tokens)
    own = sms(recipients=[{"phone_number": "+1"}, {"phone_number": "+1", "tokens": tokens}])
    if rule is None:
        assert tokens == submission_of(shared, 1, NOW_US).tokens
        assert (None, tokens) == tuple(each.tokens for each in submission_of(own, 1, NOW_US).recipients)
    else:
        place, expected = rule
        assert (ErrorReason.INVALID_REQUEST, {f"tokens{place}": expected}) == refused(shared)
        assert {f"recipients[1].tokens{place}": expected} == refused(own)[1]


def test_a_template_is_a_body_like_content(sms):
    """By project, name, version, locale and values; what it says is intake's to find."""
    values = {"a": "b"}
    ref = {"project": "p", "name": "hi", "version": "7", "locale": "en-GB", "parameters": values}
    submission = submission_of(sms(content=None, template=ref, channels=[1]), 1, NOW_US)
    assert TemplateRef("p", "hi", 7, "en-GB", values) == submission.template
    assert (Content({}), (Channel.SMS,)) == (submission.content, submission.channels)
    for version in ("", "latest"):
        latest = submission_of(sms(content=None, template={"name": "hi", "version": version}), 1, NOW_US)
        assert TemplateRef("", "hi") == latest.template


@pytest.mark.parametrize(
    ("ref", "field"),
    [
        ({}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "a", "project": "/"}, "project"),
        ({"name": "a", "version": "newest"}, "version"),
        ({"name": "a", "version": "-1"}, "version"),
        ({"name": "a", "locale": "e"}, "locale"),
        ({"name": "a", "locale": "en_GB"}, "locale"),
        ({"name": "a", "parameters": {"": "x"}}, "parameters"),
        ({"name": "a", "parameters": {str(n): "" for n in range(101)}}, "parameters"),
        ({"name": "a", "parameters": {"b": "x" * 2_001}}, "parameters[b]"),
    ],
)
def test_a_template_that_cannot_be_named_so_is_refused(sms, ref, field):
    """With the field of the reference."""
    assert {f"template.{field}"} == broken(sms(content=None, template=ref))


def test_recipients_are_1_to_100(sms):
    """Both limits from both sides."""
    one = {"phone_number": "+447700900123"}
    assert {"recipients"} == broken(sms(recipients=[]))
    assert 1 == len(submission_of(sms(recipients=[one]), 1, NOW_US).recipients)
    assert 100 == len(submission_of(sms(recipients=[one] * 100), 1, NOW_US).recipients)
    assert {"recipients"} == broken(sms(recipients=[one] * 101))


@pytest.mark.parametrize(
    ("recipient", "field"),
    [
        ({}, ""),
        ({"client_reference": "x"}, ""),
        ({"phone_number": "1" * 1_025}, ".phone_number"),
        ({"phone_number": "+44\x007700900123"}, ".phone_number"),
        ({"email": "a" * 1_025}, ".email"),
        ({"email": "a\0@example.org"}, ".email"),
        ({"device_token": "a" * 4_097}, ".device_token"),
        ({"device_token": "a\nb"}, ".device_token"),
        ({"phone_number": "+447700900123", "client_reference": "x" * 129}, ".client_reference"),
        ({"phone_number": "+447700900123", "data": "x" * 2_049}, ".data"),
        ({"phone_number": "+447700900123", "schedule_time": Timestamp(seconds=2**62)}, ".schedule_time"),
        ({"phone_number": "+447700900123", "delegation": 9}, ".delegation"),
    ],
)
def test_a_recipient_that_breaks_a_rule_is_named_by_its_position(sms, recipient, field):
    """The path leads to the field."""
    request = sms(recipients=[{"phone_number": "+447700900123"}, recipient])
    assert {f"recipients[1]{field}"} == broken(request)


@pytest.mark.parametrize(
    "recipient",
    [
        {"phone_number": "not a number"},
        {"phone_number": "07700900123"},
        {"email": "not a mailbox"},
        {"device_token": "t" * 4_096},
        {"phone_number": "1" * 1_024},
    ],
)
def test_a_malformed_address_is_for_intake_to_judge(sms, recipient):
    """It becomes that recipient's result."""
    (given,) = submission_of(sms(recipients=[recipient]), 1, NOW_US).recipients
    assert recipient in (
        {"phone_number": given.phone_number},
        {"email": given.email},
        {"device_token": given.device_token},
    )


def test_a_request_without_a_body_is_told_to_have_one():
    """And of every other rule that it breaks."""
    assert {"content", "recipients"} == broken(send_pb2.SendRequest())


@given(
    st.binary(max_size=200)
    | st.builds(lambda a, b: a + b, st.binary(max_size=40), st.just(b"\x1a\x00\x22\x02\x0a\x00"))
)
def test_no_bytes_make_conversion_fail_otherwise_than_by_a_refusal(data):
    """Whatever parses is a submission or a BrokerError."""
    try:
        request = send_pb2.SendRequest.FromString(data)
    except DecodeError:
        return
    with contextlib.suppress(BrokerError):
        assert 1 == submission_of(request, 1, NOW_US).account_id


@given(
    st.builds(
        send_pb2.SendRequest,
        traffic=st.integers(-(2**31), 2**31 - 1),
        guarantee=st.integers(-(2**31), 2**31 - 1),
        channels=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=8),
        tags=st.lists(st.text(), max_size=12),
        sender=st.text(),
        schedule_time=st.builds(
            Timestamp, seconds=st.integers(-(2**63), 2**63 - 1), nanos=st.integers(-(2**31), 2**31 - 1)
        ),
        validity=st.builds(
            Duration, seconds=st.integers(-(2**63), 2**63 - 1), nanos=st.integers(-(2**31), 2**31 - 1)
        ),
        reply_to_message_id=st.text(),
    )
)
def test_no_numbers_make_conversion_fail_otherwise_than_by_a_refusal(request):
    """Hostile enums, times and spans."""
    with pytest.raises(BrokerError) as refusal:
        submission_of(request, 1, NOW_US)
    assert {"recipients", "content"} <= {each.field for each in refusal.value.violations}
