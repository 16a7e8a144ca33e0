"""Messages → calls and answers → outcomes, by value."""

import json
from datetime import UTC, datetime

import pytest

from broker.spi import Accepted, Campaign, NotAccepted, Particulars, Reason, Rejected, Unknown
from waypost_zoomconnect import mapping
from waypost_zoomconnect.exchange import Answer
from waypost_zoomconnect.settings import ZoomConnectSettings

# 12:00 in Johannesburg, and half a minute
NOW_US = round(datetime(2026, 3, 1, 10, 0, 30, tzinfo=UTC).timestamp()) * 1_000_000
HOUR_US = 3_600_000_000


def settings(**changes):
    table = {"email": "me@example.org", "token": "t", "url_token": "u/t", **changes}
    return ZoomConnectSettings(**table)


def judged(status, document=None, *, count=1, headers=(), **changes):
    """The outcomes of an answer."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return mapping.outcomes(Answer(status, dict(headers), body), count, settings(**changes), NOW_US)


@pytest.mark.covers(
    "send.message", "send.campaign", "send.recipientNumber", "send.dateToSend", "send.dataField"
)
def test_a_single_message_is_told_with_all_of_its_fields(message):
    """Under the guide's names; the date is of ZoomConnect's clock."""
    told = settings(form="send", campaign="shoes", hold_s=600)
    call = mapping.single_call(message(expire_at_us=NOW_US + HOUR_US), told, NOW_US)
    expected = {
        "message": "Hello",
        "campaign": "shoes",
        "recipientNumber": "+27821234567",
        "dateToSend": "202603011210",
        "dataField": "key-4567",
    }
    assert ("POST", "sms/send", expected) == (call.method, call.path, call.document)


@pytest.mark.parametrize(
    ("own", "told"),
    [
        (None, "shoes"),
        (Campaign("c-1", "Spring"), "Spring"),
        (Campaign("c-1"), "c-1"),
    ],
)
@pytest.mark.covers("send.campaign")
def test_a_messages_own_campaign_goes_before_that_of_the_instance(message, own, told):
    """By its name where it has one."""
    changes = {"particulars": Particulars(campaign=own)}
    assert told == mapping.campaign(message(**changes), settings(campaign="shoes"))


@pytest.mark.covers("send.message", "send.recipientNumber")
def test_what_there_is_none_of_is_left_out(message):
    """The two required fields remain."""
    call = mapping.single_call(message(), settings(form="send", data_field="none"), NOW_US)
    assert {"message": "Hello", "recipientNumber": "+27821234567"} == call.document


@pytest.mark.covers("send-bulk.sendSmsRequests", "send-bulk.defaultDateToSend", "send-bulk.messagesPerMinute")
def test_a_batch_has_a_default_date_and_a_pace(message):
    """A message whose validity ends before the default date has a date of its own."""
    batch = [
        message(expire_at_us=NOW_US + HOUR_US),
        message("+27821110001", expire_at_us=NOW_US + 120_000_000),
    ]
    told = settings(hold_s=600, messages_per_minute=90)
    ((call, carried),) = mapping.calls(batch, told, NOW_US)
    expected = {
        "sendSmsRequests": [
            {"message": "Hello", "recipientNumber": "+27821234567", "dataField": "key-4567"},
            {
                "message": "Hello",
                "recipientNumber": "+27821110001",
                "dateToSend": "202603011202",
                "dataField": "key-0001",
            },
        ],
        "defaultDateToSend": "202603011210",
        "messagesPerMinute": 90,
    }
    assert ("sms/send-bulk", expected, batch) == (call.path, call.document, carried)


def test_a_message_at_its_end_of_validity_is_not_held_by_the_default_date(message):
    """A bulk request has no word for "at once", so the date of this minute says it."""
    ((call, _),) = mapping.calls([message(expire_at_us=NOW_US + 1)], settings(hold_s=600), NOW_US)
    assert "202603011200" == call.document["sendSmsRequests"][0]["dateToSend"]


def test_a_single_message_at_its_end_of_validity_goes_at_once(message):
    """A date that has begun is none."""
    call = mapping.single_call(message(expire_at_us=NOW_US + 1), settings(form="send", hold_s=600), NOW_US)
    assert "dateToSend" not in call.document


@pytest.mark.covers("send-bulk")
def test_a_batch_without_wishes_has_no_date_and_no_pace(message):
    """0 in the guide's example means none."""
    ((call, _),) = mapping.calls([message()], settings(), NOW_US)
    assert ["sendSmsRequests"] == list(call.document)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.covers(
    *("send-url-parameters.get", "send-url-parameters.post"),
    *("send-url-parameters.recipientNumber", "send-url-parameters.message"),
)
def test_url_parameters_are_those_of_the_body(message, method):
    """By either method, without a body."""
    call = mapping.single_call(message(), settings(form="send-url-parameters", url_method=method), NOW_US)
    query = {"message": "Hello", "recipientNumber": "+27821234567", "dataField": "key-4567"}
    assert (method, "sms/send-url-parameters", query, None, False) == (
        call.method,
        call.path,
        call.query,
        call.document,
        call.open,
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.covers("send-url.get", "send-url.post", "send-url.token")
def test_the_token_for_sending_by_url_stands_in_the_path(message, method):
    """Escaped, and with no other credentials."""
    call = mapping.single_call(message(), settings(form="send-url", url_method=method), NOW_US)
    assert (method, "sms/send-url/u%2Ft", True) == (call.method, call.path, call.open)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"content": {"text": "Hello", "subject": "Hi"}}, Reason.CONTENT_UNSUPPORTED),
        ({"content": {"text": ""}}, Reason.CONTENT_UNSUPPORTED),
        ({"sender": "Acme"}, Reason.INVALID_SENDER),
    ],
    ids=["subject", "empty", "sender"],
)
def test_what_zoomconnect_has_no_field_for_is_refused(message, changes, reason):
    """Rather than dropped; the text names the rule."""
    refusal = mapping.inexpressible(message(**changes), settings())
    assert (reason, True) == (refusal.reason, "ZoomConnect" in refusal.text)


@pytest.mark.parametrize("changes", [{"number": "Acme"}, {"other_senders": "ignore"}])
def test_its_own_number_is_a_sender_and_others_can_be_ignored(message, changes):
    """As the settings say."""
    assert mapping.inexpressible(message(sender="Acme"), settings(**changes)) is None


@pytest.mark.parametrize("found", [40124213, "40124213"])
def test_a_message_is_accepted_under_its_id(found):
    """Written as a number or as a text."""
    assert [Accepted(("40124213",))] == judged(200, {"messageId": found, "error": None}, form="send")


@pytest.mark.parametrize("body", [b'"40124213"', b"40124213"])
def test_a_bare_id_answers_the_forms_with_urls(body):
    """Their answer is not printed."""
    assert [Accepted(("40124213",))] == judged(200, body, form="send-url")


@pytest.mark.parametrize(
    "body", [b"true", b"[1]", b'"ok"', b"{}", b'{"messageId": ""}', b'{"messageId": true}', b"-1", b'"-"']
)
def test_an_answer_without_an_id_is_unknown(body):
    """It may have been taken."""
    assert [Unknown("unreadable")] == judged(200, body, form="send")


@pytest.mark.covers("send-bulk")
def test_results_of_a_batch_stand_in_its_order():
    """Each of its own kind."""
    results = [
        {"messageId": "1", "error": None},
        {"messageId": None, "error": "Invalid mobile number"},
        {"messageId": None, "error": "Message cannot be empty"},
        {"messageId": None, "error": "the text of +27821234567 was Hello"},
        {"messageId": "5", "error": "Invalid mobile number"},
    ]
    told = judged(200, {"sendSmsResponses": results}, count=5)
    kinds = [(type(each), getattr(each, "reason", None)) for each in told]
    expected = [
        (Accepted, None),
        (Rejected, Reason.INVALID_RECIPIENT),
        (Rejected, Reason.CONTENT_UNSUPPORTED),
        (Unknown, None),
        (Unknown, None),
    ]
    assert expected == kinds
    assert "Hello" not in told[3].text


@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_with_another_number_of_results_is_unknown(count):
    """Nobody can tell which result is whose."""
    results = {"sendSmsResponses": [{"messageId": "1", "error": None}] * 2}
    assert [Unknown("unreadable")] * count == judged(200, results, count=count)


@pytest.mark.parametrize(
    ("meaning", "kind"),
    [
        ("invalid_recipient", Rejected),
        ("opted_out", Rejected),
        ("refused", Rejected),
        ("content_unsupported", Rejected),
        ("not_accepted", NotAccepted),
    ],
)
def test_an_error_means_what_the_settings_say(meaning, kind):
    """Word for word."""
    result = {"messageId": None, "error": "Insufficient credits"}
    (outcome,) = judged(200, result, form="send", errors={"Insufficient credits": meaning})
    assert (kind, meaning) == (type(outcome), outcome.code)


@pytest.mark.parametrize(("code", "reason"), [(2, Reason.INVALID_RECIPIENT), (3, Reason.CONTENT_UNSUPPORTED)])
@pytest.mark.covers("error.2", "error.3")
def test_a_validation_error_is_a_refusal(code, reason):
    """With ZoomConnect's own code."""
    assert [Rejected(reason, f"http_400_{code}")] == judged(400, {"code": code, "message": "x"}, form="send")


@pytest.mark.parametrize(("document", "count"), [({"code": 9}, 1), ({}, 1), (b"<html>", 1), ({"code": 2}, 2)])
def test_any_other_400_is_unknown(document, count):
    """Of several messages it does not say which is meant."""
    assert [Unknown("http_400")] * count == judged(400, document, count=count)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_wrong_credentials_or_address_take_no_message(status):
    """An operator mends the settings, and it goes out."""
    assert [NotAccepted(None, f"http_{status}")] * 2 == judged(status, b"", count=2)


@pytest.mark.covers("rate-limit")
def test_a_limited_rate_takes_no_message():
    """And asks for a pause."""
    assert [NotAccepted(7.0, "http_429")] == judged(429, b"", headers={"Retry-After": "7"})


@pytest.mark.parametrize(("count", "kind"), [(1, Rejected), (2, NotAccepted)])
def test_a_request_that_is_too_long_was_not_read(count, kind):
    """One message that is too long stays so; several may fit one by one."""
    assert [kind] * count == [type(each) for each in judged(414, b"", count=count)]


@pytest.mark.parametrize("status", [302, 409, 500, 502, 503, 504])
def test_any_other_status_is_unknown(status):
    """The fallback of the mapping."""
    assert [Unknown(f"http_{status}")] == judged(status, b"")
