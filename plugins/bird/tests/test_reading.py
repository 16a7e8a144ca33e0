"""Bird's answers and webhooks in the broker's words."""

import json

import pytest

from broker.spi import Accepted, Inbound, NotAccepted, Reason, Receipt, ReceiptStatus, Rejected, Unknown
from broker.testing.clock import NOW_US
from waypost_bird.fake.example import CHANNEL, NUMBER, TEXT_ONLY_CHANNEL, TEXT_ONLY_NUMBER
from waypost_bird.reading import outcome, reported

ID = "123e4567-e89b-12d3-a456-426614174000"
TIME = "2024-11-21T09:14:49.469Z"
TIME_US = 1_732_180_489_469_000


@pytest.fixture
def judged(settings):
    """What an answer says of a message."""

    def judge(status, document, headers=None, **changes):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return outcome(status, headers or {}, body, settings(**changes), NOW_US)

    return judge


@pytest.fixture
def told(settings):
    """The facts of a webhook."""

    def read(payload, event="sms.outbound", **changes):
        document = {"service": "channels", "event": event, "payload": payload}
        return reported(json.dumps(document).encode(), settings(**changes))

    return read


def report(status, **fields):
    """A message as a webhook tells it."""
    return {"id": ID, "channelId": str(CHANNEL), "direction": "outgoing", "status": status, **fields}


@pytest.mark.covers(
    "answer.id",
    "answer.status",
    "status.accepted",
    "status.processing",
    "status.scheduled",
    "status.sent",
    "status.delivered",
)
@pytest.mark.parametrize("status", ["accepted", "processing", "scheduled", "sent", "delivered", ""])
def test_a_message_that_was_taken_is_accepted_under_its_id(judged, status):
    """Whatever has become of it since: webhooks tell that."""
    assert Accepted((ID,)) == judged(202, {"id": ID, "status": status})


@pytest.mark.covers(
    "answer.status", "answer.failure", "status.rejected", "status.sending_failed", "status.deleted"
)
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("rejected", Reason.REFUSED_BY_PROVIDER),
        ("sending_failed", Reason.PROVIDER_UNAVAILABLE),
        ("deleted", Reason.REFUSED_BY_PROVIDER),
    ],
)
def test_an_answer_that_says_that_it_never_will_is_a_rejection(judged, status, reason):
    """With where and why, as Bird puts it."""
    failure = {"description": "Unsupported media type", "source": {"code": "12", "name": "pre-processing"}}
    said = judged(202, {"id": ID, "status": status, "failure": failure})
    assert Rejected(reason, f"{status} pre-processing 12", "Unsupported media type") == said


@pytest.mark.covers("error.code", "error.details")
@pytest.mark.parametrize(
    ("details", "reason", "text"),
    [
        ({"receiver.contacts.0.identifierValue": ["x"]}, Reason.INVALID_RECIPIENT, "receiver"),
        ({"sender": ["x"]}, Reason.INVALID_SENDER, "sender"),
        ({"body.text.text": ["x"]}, Reason.CONTENT_UNSUPPORTED, "body"),
        ({"body": ["x"], "tags.0": ["x"]}, Reason.REFUSED_BY_PROVIDER, "body, tags"),
    ],
)
def test_what_did_not_pass_validation_is_rejected_for_its_field(judged, details, reason, text):
    """In our own words: Bird's may quote the message."""
    said = judged(422, {"code": "ValidationError", "message": "Your parcel", "details": details})
    assert Rejected(reason, "ValidationError", f"did not pass validation: {text}") == said


@pytest.mark.covers("error.code", "error.http")
@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [
        (400, {"code": "BadRequest"}, Rejected(code="BadRequest")),
        (400, {"code": "BadRequest", "details": {"Hologram": ["x"]}}, Rejected(code="BadRequest")),
        (400, {"error": "oops"}, Unknown("http_400")),
        (401, {"code": "Unauthorized"}, NotAccepted(None, "Unauthorized")),
        (402, b"", NotAccepted(None, "http_402")),
        (403, b"<html>", NotAccepted(None, "http_403")),
        (404, {"code": "NotFound"}, NotAccepted(None, "NotFound", "Bird knows no such workspace or channel")),
        (404, b"<html>", Unknown("http_404")),
        (409, {"code": "Conflict"}, NotAccepted(None, "Conflict", about_message=True)),
        (409, b"", Unknown("http_409")),
        (418, {"code": "Teapot"}, Unknown("Teapot")),
        (500, {"code": "InternalError"}, Unknown("InternalError")),
        (503, b"", Unknown("http_503")),
        (302, b"", Unknown("http_302")),
        (202, {"status": "accepted"}, Unknown("unreadable")),
        (202, {"id": "x\ny"}, Unknown("unreadable")),
    ],
)
def test_each_status_is_judged_by_what_it_can_mean(judged, status, document, expected):
    """Bird's own words count; without them only what surely took nothing is NotAccepted."""
    assert expected == judged(status, document)


@pytest.mark.covers("error.http")
def test_a_throttled_request_waits_as_long_as_it_is_told_to(judged):
    """By Retry-After; without one the broker decides."""
    assert NotAccepted(7.0, "http_429") == judged(429, b"", {"Retry-After": "7"})
    assert NotAccepted(None, "http_429") == judged(429, b"")


@pytest.mark.covers(
    "status.accepted",
    "status.rejected",
    "status.processing",
    "status.scheduled",
    "status.sent",
    "status.sending_failed",
    "status.delivered",
    "status.delivery_failed",
    "status.deleted",
)
@pytest.mark.parametrize(
    ("status", "means", "reason"),
    [
        ("accepted", ReceiptStatus.SENT, None),
        ("processing", ReceiptStatus.SENT, None),
        ("scheduled", ReceiptStatus.SENT, None),
        ("sent", ReceiptStatus.SENT, None),
        ("delivered", ReceiptStatus.DELIVERED, None),
        ("rejected", ReceiptStatus.DELIVERY_FAILED, Reason.REFUSED_BY_PROVIDER),
        ("sending_failed", ReceiptStatus.DELIVERY_FAILED, Reason.PROVIDER_UNAVAILABLE),
        ("delivery_failed", ReceiptStatus.DELIVERY_FAILED, Reason.UNDELIVERABLE),
        ("deleted", ReceiptStatus.DELIVERY_FAILED, Reason.REFUSED_BY_PROVIDER),
        ("skipped", ReceiptStatus.UNKNOWN, None),
    ],
)
def test_each_of_the_nine_statuses_keeps_its_name(told, status, means, reason):
    """As the receipt's code; a tenth is UNKNOWN."""
    assert (Receipt(ID, means, code=status, reason=reason),) == told(report(status))


@pytest.mark.covers(
    "answer.lastStatusAt",
    "answer.receiver",
    "answer.failure",
    "answer.failure.source",
    "answer.details",
    "answer.reason",
    "answer.parts",
    "parts.platformReference",
)
def test_a_failure_tells_where_and_why(told):
    """With the platform's references of its parts; a number in what is told is hidden."""
    fields = {
        "receiver": {"contacts": [{"identifierValue": "+447700900123"}]},
        "lastStatusAt": TIME,
        "failure": {
            "description": "Unknown subscriber +44 7700 900123",
            "source": {"code": "1", "name": "sms-messagebird"},
        },
        "parts": [{"platformReference": "e8077d80"}, {"platformReference": "e8077d81"}, {}],
    }
    (receipt,) = told(report("delivery_failed", **fields))
    assert (
        Receipt(
            ID,
            ReceiptStatus.DELIVERY_FAILED,
            recipient="+447700900123",
            code="delivery_failed sms-messagebird 1",
            text="Unknown subscriber … (platform references: e8077d80, e8077d81)",
            time_us=TIME_US,
            reason=Reason.UNDELIVERABLE,
        )
        == receipt
    )
    (other,) = told(report("delivery_failed", details="unknown_subscriber", failure={"code": 15005}))
    assert ("delivery_failed 15005", "unknown_subscriber") == (other.code, other.text)
    (bare,) = told(report("rejected", reason="blocked", failure=None))
    assert ("rejected", "blocked") == (bare.code, bare.text)


@pytest.mark.covers("answer.failure.source")
def test_a_recipient_who_opted_out_is_known_by_the_settings_codes(told, judged):
    """In a report and in an answer: the broker sends nothing more to them."""
    failure = {"failure": {"source": {"code": "stop-list", "name": "contact"}}}
    codes = {"opted_out_codes": ["stop-list"]}
    (receipt,) = told(report("rejected", **failure), **codes)
    assert Reason.OPTED_OUT is receipt.reason
    assert Reason.OPTED_OUT is judged(202, {"id": ID, "status": "rejected", **failure}, **codes).reason


@pytest.mark.covers(
    "answer.direction", "answer.sender", "answer.createdAt", "webhook.inbound", "answer.channelId"
)
def test_what_somebody_writes_is_inbound(told):
    """To the number that the webhook names, or the one that the settings know for the channel."""
    payload = {
        "id": ID,
        "channelId": str(CHANNEL),
        "sender": {"contact": {"identifierValue": "+447700900123"}},
        "receiver": {"connector": {"id": ID}},
        "body": {"type": "text", "text": {"text": "Is it on its way?"}},
        "direction": "incoming",
        "status": "delivered",
        "createdAt": TIME,
    }
    expected = Inbound("+447700900123", NUMBER, "Is it on its way?", TIME_US, ID)
    assert (expected,) == told(payload, "sms.inbound")
    other = payload | {"channelId": str(TEXT_ONLY_CHANNEL)}
    assert TEXT_ONLY_NUMBER == told(other, "sms.inbound")[0].recipient
    named = payload | {"receiver": {"connector": {"identifierValue": "+15005550123"}}}
    assert "+15005550123" == told(named, "sms.inbound")[0].recipient
    assert str(CHANNEL) == told(payload, "sms.inbound", number="")[0].recipient
    del payload["direction"]
    assert (expected,) == told(payload, "sms.inbound")


@pytest.mark.covers("webhook.inbound", "answer.replyTo")
@pytest.mark.parametrize(
    ("reply_to", "answers"),
    [
        ({"id": "7", "type": "message"}, "7"),
        ({"id": "7", "type": "click"}, ""),
        ({"type": "message"}, ""),
        (None, ""),
    ],
)
def test_a_reply_names_the_message_that_it_answers(told, reply_to, answers):
    """By the id that Bird gave it; a click or a referral is no message."""
    payload = {
        "id": ID,
        "sender": {"contact": {"identifierValue": "+447700900123"}},
        "receiver": {"connector": {"identifierValue": NUMBER}},
        "body": {"type": "text", "text": {"text": "YES"}},
        "direction": "incoming",
        "replyTo": reply_to,
    }
    assert answers == told(payload, "sms.inbound")[0].answers


@pytest.mark.covers("webhook.inbound", "body.image", "body.file")
def test_media_that_come_in_are_told_by_their_addresses(told):
    """A line each, below what was written."""
    urls = ["https://media.example.org/1", "https://media.example.org/2"]
    for kind, name in (("image", "images"), ("file", "files")):
        payload = {
            "id": ID,
            "sender": {"contact": {"identifierValue": "+447700900123"}},
            "receiver": {"connector": {"identifierValue": NUMBER}},
            "body": {"type": kind, kind: {"text": "Look", name: [{"mediaUrl": each} for each in urls]}},
            "direction": "incoming",
        }
        assert "Look\n" + "\n".join(urls) == told(payload, "sms.inbound")[0].text


@pytest.mark.covers("webhook.outbound")
@pytest.mark.parametrize(
    ("payload", "event"),
    [
        (report("delivered", channelId=ID), "sms.outbound"),
        (report("delivered"), "whatsapp.outbound"),
        ({"id": ID, "channelId": str(CHANNEL), "interaction": {}}, "sms.interaction"),
    ],
    ids=["another channel", "another platform", "another event"],
)
def test_what_is_not_about_our_messages_is_taken_and_forgotten(told, payload, event):
    """Else Bird would repeat it for hours."""
    assert () == told(payload, event)


@pytest.mark.covers("webhook.outbound")
def test_receipts_that_nobody_waits_for_are_forgotten(told):
    """Where the settings say that there are none."""
    assert () == told(report("delivered"), receipts="none")


@pytest.mark.covers("webhook.outbound", "webhook.inbound")
@pytest.mark.parametrize(
    ("payload", "event"),
    [
        ({"status": "delivered"}, "sms.outbound"),
        ({"id": ID}, "sms.outbound"),
        ({"id": 7, "status": "delivered"}, "sms.outbound"),
        ({"id": ID, "direction": "incoming"}, "sms.inbound"),
        ([], "sms.outbound"),
    ],
)
def test_what_makes_no_sense_is_refused(told, payload, event):
    """None: the provider answers a 400."""
    assert told(payload, event) is None


@pytest.mark.covers("webhook.outbound")
def test_a_report_may_come_without_its_envelope(settings):
    """No document prints one."""
    (receipt,) = reported(json.dumps(report("delivered")).encode(), settings())
    assert Receipt(ID, ReceiptStatus.DELIVERED, code="delivered") == receipt
