"""Broadcasts by value: the calls that are made, and what their answers say."""

import json
from datetime import UTC, datetime

import pytest

from broker import spi
from broker.testing.clock import NOW_US
from waypost_ogangi import broadcasts
from waypost_ogangi.settings import OgangiSettings

TABLE = {
    "base_url": "https://ogangi.example",
    "instance_id": "1234",
    "user_name": "ada",
    "public_key": "PUB",
    "private_key": "PRIV",
}
S = spi.BroadcastState


def settings(**changes):
    return OgangiSettings.model_validate({**TABLE, **changes})


def order(**changes):
    fields = {
        "broadcast_id": "6GZWJGS7W0000",
        "idempotency_key": "6GZWJGS7W0000",
        "name": "Spring/1",
        "channel": spi.Channel.SMS,
        "sender": "70555",
        "traffic": spi.Traffic.PROMOTIONAL,
        "recipients": (
            spi.BroadcastRecipient("+18133210984", {"text": 'Hi Ada, née "A"'}),
            spi.BroadcastRecipient("+13056708084", {"text": "Hi Bo"}),
        ),
        "schedule_at_us": None,
    }
    return spi.BroadcastOrder(**(fields | changes))


def us(*at):
    return round(datetime(*at, tzinfo=UTC).timestamp() * 1_000_000)


def answered(broadcast="", status="OK", description="Completed", http_status=200):
    """An exchange whose answer tells of a broadcast."""
    result = f"<result><broadcast>{broadcast}</broadcast></result>" if broadcast else ""
    body = f"<status>{status}</status><description>{description}</description>{result}"
    return http_status, {}, body.encode()


@pytest.mark.covers(
    "createBroadcast",
    "createBroadcast.instanceId",
    "createBroadcast.broadcastId",
    "createBroadcast.shortcode",
    "createBroadcast.userName",
    "createBroadcast.shortcodeIgnore",
    "createBroadcast.campaignName",
    "createBroadcast.date",
)
def test_a_new_broadcast_has_its_parameters_in_the_order_of_the_path():
    """-1 is a new one; with a short code, it must not be ignored."""
    assert (
        ("instanceId", "1234"),
        ("broadcastId", "-1"),
        ("shortcode", "70555"),
        ("userName", "ada"),
        ("shortcodeIgnore", "true"),
        ("campaignName", "Spring/1"),
        ("date", ""),
    ) == broadcasts.created(order(), settings())


@pytest.mark.covers("createBroadcast.shortcode", "createBroadcast.shortcodeIgnore")
def test_false_has_the_short_code_ignored():
    """As the document says it: where nobody names one, whatever stands there is not used."""
    created = dict(broadcasts.created(order(sender=""), settings()))
    assert ("0", "false") == (created["shortcode"], created["shortcodeIgnore"])
    own = dict(broadcasts.created(order(sender=""), settings(shortcode="+19893653744")))
    assert ("19893653744", "true") == (own["shortcode"], own["shortcodeIgnore"])


@pytest.mark.covers("createBroadcast.date")
@pytest.mark.parametrize(
    ("at_us", "zone", "written"),
    [
        (None, "UTC", ""),
        (us(2026, 9, 1, 8, 5), "UTC", "01-09-2026 08:05"),
        (us(2026, 9, 1, 8, 5, 1), "UTC", "01-09-2026 08:06"),
        (us(2026, 9, 1, 2, 5), "America/Caracas", "31-08-2026 22:05"),
    ],
)
def test_a_date_is_day_month_year_hour_and_minute(at_us, zone, written):
    """In the workspace's own time zone; never before the time that was asked for."""
    assert written == broadcasts.date_of(at_us, settings(time_zone=zone))


@pytest.mark.covers("createBroadcast.to")
def test_recipients_are_posted_as_json():
    """Each with the text that is theirs, under the names of the settings."""
    found = json.loads(broadcasts.recipients_json(order(), settings(broadcast_recipient_field="msisdn")))
    assert [
        {"msisdn": "18133210984", "text": 'Hi Ada, née "A"'},
        {"msisdn": "13056708084", "text": "Hi Bo"},
    ] == found


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sender": "Acme"}, spi.Reason.INVALID_SENDER),
        (
            {"recipients": (spi.BroadcastRecipient("+18133210984", {"text": "a", "subject": "b"}),)},
            spi.Reason.CONTENT_UNSUPPORTED,
        ),
    ],
    ids=["sender", "subject"],
)
def test_what_no_broadcast_of_ogangi_can_have_is_refused(changes, reason):
    """Rather than left out."""
    assert reason is broadcasts.refusal(order(**changes), settings()).reason


@pytest.mark.covers(
    "broadcast.id",
    "broadcast.startDate",
    "broadcast.endDate",
    "broadcast.expectedMessages",
    "broadcast.sentMessages",
    "broadcast.status",
    "broadcast.status.2",
)
def test_what_is_printed_of_a_broadcast_that_has_ended():
    """Its counts, its times, and 2: completed."""
    answer = answered(
        "<id>2</id><text>message</text><startDate>2013-09-05T15:10:14-04:00</startDate>"
        "<endDate>2013-09-05T15:10:15-04:00</endDate><expectedMessages>2</expectedMessages>"
        "<sentMessages>2</sentMessages><status>2</status><shortcode>0000000</shortcode>"
    )
    assert spi.UpstreamBroadcast(
        "2",
        S.COMPLETED,
        expected=2,
        sent=2,
        started_at_us=us(2013, 9, 5, 19, 10, 14),
        ended_at_us=us(2013, 9, 5, 19, 10, 15),
    ) == broadcasts.stands(answer, settings(), NOW_US)


@pytest.mark.covers("broadcast.statusDescription", "broadcast.status.SCHEDULED", "broadcast.startDate")
def test_what_is_printed_of_a_broadcast_that_was_made():
    """A word for its state; the sample's date has a digit too many, and is not read."""
    answer = answered(
        "<id>1</id><text>Test message</text><startDate>2016-08-16T17:49:42.346-04:002</startDate>"
        "<expectedMessages>2</expectedMessages><statusDescription>SCHEDULED</statusDescription>"
        "<shortcode>0000000</shortcode>"
    )
    assert spi.UpstreamBroadcast("1", S.SCHEDULED, expected=2) == broadcasts.taken(answer, settings(), NOW_US)


@pytest.mark.covers("broadcast.status", "broadcast.statusDescription")
@pytest.mark.parametrize(
    ("said", "state"),
    [("<status>9</status>", S.SUSPENDED), ("<status>8</status>", S.UNKNOWN), ("", S.UNKNOWN)],
)
def test_a_state_is_what_the_settings_say(said, state):
    """One that they do not list changes nothing."""
    answer = answered(f"<id>-7</id>{said}")
    found = broadcasts.stands(answer, settings(broadcast_statuses={"9": "suspended"}), NOW_US)
    assert ("-7", state) == (found.upstream_id, found.state)


@pytest.mark.parametrize(
    "said",
    ["<id>seven</id>", "<id></id>", "<id>" + "9" * 30 + "</id>", "<id>\u0663</id>"],
    ids=["word", "empty", "long", "digits of others"],
)
def test_a_broadcast_without_an_id_is_in_doubt(said):
    """Nobody could ask about it."""
    assert spi.Unknown("unreadable") == broadcasts.taken(answered(said), settings(), NOW_US)


@pytest.mark.parametrize("said", ["-1", "many", "9" * 20, "1.5"])
def test_a_count_that_is_none_is_not_told(said):
    """Better than a wrong one."""
    answer = answered(f"<id>1</id><sentMessages>{said}</sentMessages>")
    assert None is broadcasts.stands(answer, settings(), NOW_US).sent


@pytest.mark.covers("answer.status", "answer.description")
@pytest.mark.parametrize(
    ("answer", "create", "stands", "moved"),
    [
        (answered(status="ERROR", description="No"), spi.Rejected, spi.Unknown, spi.Rejected),
        (answered(status="ERROR", description="Full"), spi.NotAccepted, spi.Unknown, spi.NotAccepted),
        (answered(status="ERROR", description="?"), spi.Unknown, spi.Unknown, spi.Unknown),
        (answered(http_status=403), spi.NotAccepted, spi.Unknown, spi.NotAccepted),
        (answered(http_status=500), spi.Unknown, spi.Unknown, spi.Unknown),
        ((200, {}, b"<html>"), spi.Unknown, spi.Unknown, spi.Unknown),
        (answered(), spi.Unknown, spi.Unknown, spi.BroadcastMoved),
    ],
    ids=["refused", "not now", "unlisted", "keys", "failed", "page", "nothing told"],
)
def test_what_an_answer_says_depends_on_what_was_asked(answer, create, stands, moved):
    """A question that was refused says nothing of the broadcast, and so never has it handed over again."""
    own = settings(failures={"No": "rejected", "Full": "not_accepted"})
    judged = (broadcasts.taken, broadcasts.stands, broadcasts.moved)
    assert [create, stands, moved] == [type(judge(answer, own, NOW_US)) for judge in judged]


@pytest.mark.covers("shortcodes.sc")
@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (
            b"<shortcodes><shortcode><sc>0000000</sc></shortcode> <shortcode><sc>1111111</sc></shortcode></shortcodes>",
            ["0000000", "1111111"],
        ),
        (b"<shortcodes></shortcodes>", []),
    ],
    ids=["two", "none"],
)
def test_short_codes_are_listed_as_they_are_written(answer, found):
    """Zeros in front are theirs."""
    body = b"<input>getShortcodes</input> <status>OK</status> <result>" + answer + b"</result>"
    assert found == broadcasts.shortcodes((200, {}, body), settings(), NOW_US)


@pytest.mark.parametrize("answer", [(500, {}, b""), (200, {}, b"<status>ERROR</status>"), (200, {}, b"[]")])
def test_an_answer_without_short_codes_is_none(answer):
    """Rather than an empty list."""
    assert None is broadcasts.shortcodes(answer, settings(), NOW_US)
