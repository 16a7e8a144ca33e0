"""SendRequest → Submission, each rule from both sides: links, callbacks, times and labels."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from broker.api.convert.requests import submission_of
from broker.domain.callback_url import CallbackMethod
from broker.domain.submission import Callback, Campaign
from tests.unit.api.converting import DAY_S, NOW_S, NOW_US, broken


def test_empty_options_are_no_wish(sms):
    """Neither is what the default says anyway."""
    assert submission_of(sms(), 1, NOW_US) == submission_of(sms(options={}), 1, NOW_US)
    assert submission_of(sms(), 1, NOW_US) == submission_of(sms(options={"callback_method": 1}), 1, NOW_US)
    assert {"options.callback_method"} == broken(sms(options={"callback_method": 7}))


@pytest.mark.parametrize(
    ("options", "wish"),
    [
        ({}, (None, "")),
        ({"track_links": True}, (True, "")),
        ({"keep_links": True}, (False, "")),
        ({"short_link_domain": " Go.Example.org "}, (None, "go.example.org")),
        ({"track_links": True, "short_link_domain": "go.example.org"}, (True, "go.example.org")),
    ],
)
def test_links_are_shortened_left_or_as_the_account_says(sms, options, wish):
    """A host has no case."""
    asked = submission_of(sms(options=options), 1, NOW_US)
    assert wish == (asked.track_links, asked.short_link_domain)


@pytest.mark.parametrize("other", [{"track_links": True}, {"short_link_domain": "go.example.org"}])
def test_links_cannot_be_left_and_shortened(sms, other):
    """Nor is one of the wishes dropped."""
    assert {"options.keep_links"} == broken(sms(options={"keep_links": True, **other}))


def test_a_short_link_domain_has_so_many_characters(sms):
    """As many as a policy may name."""
    assert (
        "a" * 100 == submission_of(sms(options={"short_link_domain": "a" * 100}), 1, NOW_US).short_link_domain
    )
    assert {"options.short_link_domain"} == broken(sms(options={"short_link_domain": "a" * 101}))


@pytest.mark.parametrize("options", [None, {}, {"callback_method": 1}])
def test_a_callback_is_a_post_unless_it_is_asked_otherwise(sms, options):
    """With its URL as it is written."""
    url = "http://Example.org:8080/a?b=%20"
    asked = submission_of(sms(callback_url=url, options=options), 1, NOW_US)
    assert Callback(url, CallbackMethod.POST) == asked.callback


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"callback_url": "example.org"}, "callback_url"),
        ({"callback_url": "ftp://example.org/"}, "callback_url"),
        ({"callback_url": "http://user@example.org/"}, "callback_url"),
        ({"callback_url": "http://example.org/#x"}, "callback_url"),
        ({"callback_url": "http://example.org/" + "x" * 2_048}, "callback_url"),
        ({"callback_url": "http://example.org/{message_id}"}, "callback_url"),
        ({"callback_url": "http://example.org/{x}", "options": {"callback_method": 2}}, "callback_url"),
        ({"options": {"callback_method": 2}}, "options.callback_method"),
    ],
)
def test_a_callback_that_cannot_be_made_is_refused(sms, changes, field):
    """With its field; a method without a URL as well."""
    assert {field} == broken(sms(**changes))


@pytest.mark.parametrize(
    ("field", "number", "path"),
    [
        ("traffic", 5, "traffic"),
        ("traffic", -1, "traffic"),
        ("guarantee", 3, "guarantee"),
        ("channels", [1, 0], "channels[1]"),
        ("channels", [6], "channels[0]"),
        ("channels", [1, 1], "channels[1]"),
        ("channels", [1, 2, 3, 4, 5, 1], "channels"),
        ("channels", [3, 4], "channels"),
    ],
)
def test_a_word_that_is_none_is_a_violation(sms, field, number, path):
    """Unknown numbers, unspecified channels, a channel named twice or all without content."""
    assert {path} == broken(sms(**{field: number}))


@pytest.mark.parametrize(
    ("seconds", "nanos", "legal"),
    [
        (NOW_S + 35 * DAY_S, 0, True),
        (NOW_S + 35 * DAY_S, 1_000, False),
        (NOW_S - 35 * DAY_S, 0, True),
        (0, 0, True),
        (-62_135_596_800, 0, True),
        (-62_135_596_801, 0, False),
        (253_402_300_800, 0, False),
        (2**63 - 1, 0, False),
        (-(2**63), 0, False),
        (NOW_S, 999_999_999, True),
        (NOW_S, 1_000_000_000, False),
        (NOW_S, -1, False),
        (NOW_S, -(2**31), False),
    ],
)
def test_a_schedule_time_is_a_time_and_at_most_35_days_ahead(sms, seconds, nanos, legal):
    """Past times are legal: they mean at once."""
    request = sms(schedule_time=Timestamp(seconds=seconds, nanos=nanos))
    if legal:
        assert seconds * 1_000_000 + nanos // 1_000 == submission_of(request, 1, NOW_US).schedule_at_us
    else:
        assert {"schedule_time"} == broken(request)


@pytest.mark.parametrize(
    ("seconds", "nanos", "legal"),
    [
        (1, 0, True),
        (0, 999_999_999, False),
        (0, 0, False),
        (7 * DAY_S, 0, True),
        (7 * DAY_S, 1_000, False),
        (-1, 0, False),
        (2**63 - 1, 0, False),
        (-(2**63), -(2**31), False),
        (60, -1, False),
        (60, 2**31 - 1, False),
    ],
)
def test_a_validity_is_between_a_second_and_7_days(sms, seconds, nanos, legal):
    """Both limits from both sides, and numbers that are no duration."""
    request = sms(validity=Duration(seconds=seconds, nanos=nanos))
    if legal:
        assert seconds * 1_000_000 + nanos // 1_000 == submission_of(request, 1, NOW_US).validity_us
    else:
        assert {"validity"} == broken(request)


@pytest.mark.parametrize(
    ("campaign", "fields"),
    [
        ({"id": "x" * 64, "name": "y" * 128}, set()),
        ({"id": "x" * 65}, {"campaign.id"}),
        ({"id": "x", "name": "y" * 129}, {"campaign.name"}),
        ({"name": "y"}, {"campaign.id"}),
        ({"id": "a\nb"}, {"campaign.id"}),
        ({"id": "a", "name": "a\nb"}, {"campaign.name"}),
    ],
)
def test_a_campaign_has_an_id(sms, campaign, fields):
    """And both have limits."""
    request = sms(campaign=campaign)
    if fields:
        assert fields == broken(request)
    else:
        assert Campaign(**campaign) == submission_of(request, 1, NOW_US).campaign


def test_an_empty_campaign_is_none(sms):
    """It names nothing to report under."""
    assert submission_of(sms(campaign={}), 1, NOW_US).campaign is None


@pytest.mark.parametrize(
    ("tags", "fields"),
    [
        (["t" * 64] + [str(n) for n in range(9)], set()),
        ([str(n) for n in range(11)], {"tags"}),
        (["t" * 65], {"tags[0]"}),
        (["a", "  "], {"tags[1]"}),
        (["a\nb"], {"tags[0]"}),
        (["İ" * 64], {"tags[0]"}),
    ],
)
def test_tags_are_at_most_10_of_64_characters(sms, tags, fields):
    """Measured as they are kept: trimmed and lower-cased, which makes some letters two."""
    request = sms(tags=tags)
    if fields:
        assert fields == broken(request)
    else:
        assert tuple(tags) == submission_of(request, 1, NOW_US).tags


@pytest.mark.parametrize("text", ["x", "U" * 13, "8000000000000"])
def test_a_reply_to_that_is_no_id_is_a_violation(sms, text):
    """Too short, a letter that is none, above 63 bits."""
    assert {"reply_to_message_id"} == broken(sms(reply_to_message_id=text))
