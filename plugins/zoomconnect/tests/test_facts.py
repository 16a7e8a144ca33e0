"""Delivery reports, replies and records, read into facts by value."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from broker.spi import Accepted, CallbackRequest, Inbound, Reason, Receipt, ReceiptStatus, Unknown
from waypost_zoomconnect import facts
from waypost_zoomconnect.settings import ZoomConnectSettings

# As the guide prints them, its parameters on one line.
REPORT = "&status=DELIVERED&messageId=40124213"
REPLY = (
    "from=+27725551234&repliedToMessageId=121212&messageId=124567&message=REPLY"
    "&date=201404282055&campaign=shoe%20campaign&dataField=custom"
)
RECEIVED_US = round(datetime(2014, 4, 28, 18, 55, tzinfo=UTC).timestamp()) * 1_000_000


def settings(**changes):
    return ZoomConnectSettings(**{"email": "me@example.org", "token": "t", **changes})


def posted(query="", body="", **changes):
    """What a callback says."""
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    return facts.called_back(CallbackRequest("POST", "", pairs, {}, body.encode()), settings(**changes))


@pytest.mark.parametrize(
    ("query", "body"),
    [(REPORT, ""), ("", REPORT), ("", '{"status": "DELIVERED", "messageId": 40124213}')],
    ids=["query", "form", "json"],
)
@pytest.mark.covers("report", "report.status", "report.messageId", "status.DELIVERED")
def test_a_delivery_report_is_a_receipt(query, body):
    """Wherever its fields stand: the guide says POST and prints a query."""
    answer = posted(query, body)
    expected = [Receipt("40124213", ReceiptStatus.DELIVERED, code="DELIVERED")]
    assert (200, expected) == (answer.status, list(answer.facts))


@pytest.mark.parametrize(
    ("word", "status", "reason"),
    [
        ("SENT", ReceiptStatus.SENT, None),
        ("DELIVERED", ReceiptStatus.DELIVERED, None),
        ("FAILED", ReceiptStatus.DELIVERY_FAILED, None),
        ("FAILED_REFUNDED", ReceiptStatus.DELIVERY_FAILED, None),
        ("FAILED_OPTOUT", ReceiptStatus.DELIVERY_FAILED, Reason.OPTED_OUT),
        ("SCHEDULED", ReceiptStatus.UNKNOWN, None),
        ("UNKNOWN", ReceiptStatus.UNKNOWN, None),
        ("TELEPORTED", ReceiptStatus.UNKNOWN, None),
        ("delivered", ReceiptStatus.UNKNOWN, None),
    ],
)
@pytest.mark.covers(
    *("status.DELIVERED", "status.SENT", "status.FAILED", "status.FAILED_REFUNDED"),
    *("status.FAILED_OPTOUT", "status.SCHEDULED", "status.UNKNOWN"),
)
def test_a_status_means_what_the_table_says(word, status, reason):
    """And nothing where it has no row; the word is kept."""
    found = facts.receipt("1", word, settings())
    assert (status, word, reason) == (found.status, found.code, found.reason)


def test_the_settings_may_know_more_statuses():
    """And may say that one of the table's means something else."""
    told = settings(statuses={"GONE": "failed", "FAILED": "unknown"})
    statuses = [facts.receipt("1", word, told).status for word in ("GONE", "FAILED", "SENT")]
    assert [ReceiptStatus.DELIVERY_FAILED, ReceiptStatus.UNKNOWN, ReceiptStatus.SENT] == statuses


@pytest.mark.parametrize(
    ("query", "body"),
    [(REPLY, ""), ("", REPLY), (REPLY.replace("+", "%2B"), ""), (REPLY.replace("+27", "0"), "")],
    ids=["printed", "form", "encoded", "national"],
)
@pytest.mark.covers(*(
    "reply",
    "reply.from",
    "reply.messageId",
    "reply.message",
    "reply.date",
    "reply.repliedToMessageId",
))
def test_a_reply_is_a_message_that_came_in(query, body):
    """The plus that nobody encoded is put back, and the date is of the time zone that the settings name."""
    answer = posted(query, body, number="+27820000000")
    expected = Inbound("+27725551234", "+27820000000", "REPLY", RECEIVED_US, "124567", "121212")
    assert (200, [expected]) == (answer.status, list(answer.facts))


@pytest.mark.covers("reply.date")
def test_dates_are_of_the_time_zone_that_the_settings_name():
    """An hour and more apart."""
    found = {
        zone: facts.minute_us("201404282055", settings(time_zone=zone).zone)
        for zone in ("Africa/Johannesburg", "UTC", "Asia/Kolkata")
    }
    hour_us = 3_600_000_000
    assert [0, 2 * hour_us, -3.5 * hour_us] == [each - RECEIVED_US for each in found.values()]


@pytest.mark.parametrize("named", ["", "a b", "1" * 65])
def test_a_reply_that_names_no_message_is_kept(named):
    """The broker finds the message that it answers."""
    (fact,) = posted(REPLY.replace("121212", named)).facts
    assert ("REPLY", "") == (fact.text, fact.answers)


@pytest.mark.parametrize("date", ["", "soon", "201413282055", "20140428205", "2014042820555"])
def test_a_reply_without_a_readable_date_is_kept(date):
    """The broker's own time stands for it."""
    (fact,) = posted(REPLY.replace("201404282055", date)).facts
    assert ("REPLY", None) == (fact.text, fact.time_us)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "status=DELIVERED",
        "messageId=1",
        "status=&messageId=1",
        "status=DELIVERED&messageId=",
        "status=DELI%0AVERED&messageId=1",
        "status=DELIVERED&messageId=a%20b",
        f"status=DELIVERED&messageId={'9' * 65}",
        REPLY.replace("from=+27725551234&", ""),
        REPLY.replace("&messageId=124567", ""),
        REPLY.replace("&message=REPLY", ""),
        REPLY.replace("&date=201404282055", ""),
        REPLY.replace("+27725551234", ""),
        f"{REPLY}&{REPORT}",
    ],
)
def test_what_is_neither_report_nor_reply_is_refused(query):
    """With a 4xx and no facts, and nothing of it in the answer."""
    answer = posted(query)
    assert (400, []) == (answer.status, list(answer.facts))


def test_a_form_with_many_fields_is_refused():
    """It is no callback of ZoomConnect's."""
    assert 400 == posted(body=REPORT + "&a=b" * 100).status


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("+27 72 555-1234", "+27725551234"),
        ("27725551234", "+27725551234"),
        ("0027725551234", "+27725551234"),
        ("0725551234", "+27725551234"),
        ("31234", "31234"),
        ("Vodacom", "Vodacom"),
        ("  ", ""),
        (None, ""),
    ],
)
def test_numbers_are_written_with_their_country_code(written, expected):
    """Names and short codes as they are."""
    assert expected == facts.phone(written, "27")


@pytest.mark.parametrize("status", ["SCHEDULED", "SENT", "UNKNOWN", "TELEPORTED"])
@pytest.mark.covers("messages.get")
def test_a_record_without_an_end_says_that_the_message_was_taken(status):
    """Its end is still to come."""
    record = {"messageId": 7, "messageStatus": status}
    assert Accepted(("7",)) == facts.answered(record, settings())


@pytest.mark.covers("messages.get")
def test_a_record_with_an_end_is_a_receipt():
    """As if it had been reported."""
    record = {"messageId": "7", "messageStatus": "FAILED"}
    expected = Receipt("7", ReceiptStatus.DELIVERY_FAILED, code="FAILED")
    assert expected == facts.answered(record, settings())


@pytest.mark.parametrize("record", [None, [], {}, {"messageId": "7"}, {"messageStatus": "SENT"}])
def test_what_is_no_record_says_nothing(record):
    """Unknown: it is asked again."""
    assert Unknown("unreadable") == facts.answered(record, settings())


@pytest.mark.covers("messages.all")
def test_a_record_of_a_reply_is_a_message_that_came_in():
    """To the account's own number, whichever of ZoomConnect's somebody wrote to."""
    record = {
        "messageId": "9",
        "messageType": "INBOUND",
        "message": "Yes",
        "fromNumber": "27725551234",
        "toNumber": "27820000000",
        "dateTimeReceived": "201404282055",
        "repliedToMessage": {"messageId": "7"},
    }
    expected = Inbound("+27725551234", "+27820000001", "Yes", RECEIVED_US, "9", "7")
    assert expected == facts.inbound(record, settings(number="+27820000001"))


@pytest.mark.parametrize(
    "changes",
    [{"messageId": None}, {"message": None}, {"fromNumber": ""}, {"messageType": "OUTBOUND"}],
)
def test_what_is_no_reply_is_none(changes):
    """Also a message of our own."""
    record = {"messageId": "9", "messageType": "INBOUND", "message": "Yes", "fromNumber": "27725551234"}
    assert facts.inbound(record, settings()) is not None
    assert facts.inbound(record | changes, settings()) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("201404282055", RECEIVED_US),
        ("2014-04-28T20:55:00", RECEIVED_US),
        ("2014-04-28T18:55:00+00:00", RECEIVED_US),
        (RECEIVED_US // 1_000, RECEIVED_US),
        (True, None),
        (-1, None),
        (10**15, None),
        ("soon", None),
        (None, None),
    ],
)
def test_records_write_moments_in_several_ways(written, expected):
    """The guide does not say which."""
    assert expected == facts.moment_us(written, settings().zone)
