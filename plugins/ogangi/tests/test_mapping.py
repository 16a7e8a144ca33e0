"""Files and answers, by value."""

import pytest

from broker import spi
from broker.testing.clock import NOW_US
from waypost_ogangi import mapping
from waypost_ogangi.settings import OgangiSettings

TABLE = {
    "base_url": "https://ogangi.example",
    "instance_id": "1234",
    "public_key": "PUB",
    "private_key": "PRIV",
    "shortcode": "70555",
}


def settings(**changes):
    return OgangiSettings.model_validate({**TABLE, **changes})


def message(recipient="+18133210984", text="Hi", sender="", **content):
    return spi.OutboundMessage(
        message_id="1",
        idempotency_key="1",
        channel=spi.Channel.SMS,
        recipient=recipient,
        sender=sender,
        content={"text": text, **content},
        traffic=spi.Traffic.TRANSACTIONAL,
        attempt=1,
        submitted_at_us=NOW_US,
        expire_at_us=NOW_US + 1,
        units=1,
    )


def told(*entries, status="OK", description="Completed"):
    """An answer that names these recipients, each with its id and status."""
    messages = "".join(
        f"<message><id>{id_}</id><to>{to}</to><status>{said}</status></message>" for id_, to, said in entries
    )
    result = f"<result><messages>{messages}</messages></result>"
    return f"<status>{status}</status><description>{description}</description>{result}".encode()


def judged(body, *messages, http_status=200, headers=None, **changes):
    return mapping.outcomes(http_status, headers or {}, body, messages, settings(**changes), NOW_US)


@pytest.mark.covers("send.file")
@pytest.mark.parametrize(
    ("changes", "file"),
    [
        ({}, b'18133210984,Hi\r\n13056708084,"one, ""two""\nthree"\r\n'),
        (
            {"recipient_plus": True, "file_separator": ";"},
            b'+18133210984;Hi\r\n+13056708084;"one, ""two""\nthree"\r\n',
        ),
        (
            {"file_columns": ["sender", "text", "recipient"], "file_header": True},
            b'sender,text,recipient\r\n70555,Hi,18133210984\r\n70555,"one, ""two""\nthree",13056708084\r\n',
        ),
        (
            {"file_encoding": "utf-16", "file_columns": ["text", "recipient"]},
            'Hi,18133210984\r\n"one, ""two""\nthree",13056708084\r\n'.encode("utf-16"),
        ),
    ],
    ids=["plain", "plus", "columns", "encoding"],
)
def test_a_file_has_a_line_for_each_recipient(changes, file):
    """With the columns, the quotes, the numbers and the encoding that the settings say."""
    messages = [message(), message("+13056708084", 'one, "two"\nthree')]
    assert file == mapping.file_of(messages, settings(**changes))


def test_a_file_without_quotes_is_what_it_is():
    """Nothing is escaped in it."""
    assert b'18133210984;a"b\r\n' == mapping.file_of(
        [message(text='a"b')], settings(file_quotes=False, file_separator=";")
    )


def test_a_file_has_each_recipient_once():
    """However its number is written: the answer names nothing else of what was sent."""
    one, again, other = message("+18133210984"), message("+1 813 3210984"), message("+13056708084")
    assert [[0, 2], [1, 4], [3]] == list(mapping.files_of([one, again, other, one, other]))


@pytest.mark.covers("message.from")
@pytest.mark.parametrize(
    ("refused", "reason", "changes"),
    [
        (message(subject="s"), spi.Reason.CONTENT_UNSUPPORTED, {}),
        (message(sender="Acme"), spi.Reason.INVALID_SENDER, {}),
        (message(text="\u20ac"), spi.Reason.CONTENT_UNSUPPORTED, {"file_encoding": "iso-8859-1"}),
        (message(text="\ud800"), spi.Reason.CONTENT_UNSUPPORTED, {}),
        (message(text="a,b"), spi.Reason.CONTENT_UNSUPPORTED, {"file_quotes": False}),
        (message(text="a\nb"), spi.Reason.CONTENT_UNSUPPORTED, {"file_quotes": False}),
    ],
    ids=["subject", "sender", "character", "surrogate", "separator", "line end"],
)
def test_what_no_file_can_hold_is_refused(refused, reason, changes):
    """Rather than left out, or changed."""
    assert reason is mapping.refusal(refused, settings(**changes)).reason


@pytest.mark.covers("message.from")
@pytest.mark.parametrize(
    ("sender", "changes"),
    [("", {}), ("70555", {}), ("+70555", {}), ("Acme", {"file_columns": ["recipient", "text", "sender"]})],
)
def test_a_sender_is_the_instances_own_or_stands_in_the_file(sender, changes):
    """The call has no parameter for it."""
    assert None is mapping.refusal(message(sender=sender), settings(**changes))


@pytest.mark.covers("send", "message.id", "message.to", "message.status.SENT_TO_CARRIER")
def test_each_recipient_gets_its_own_answer():
    """In whatever order they are told; ids may be negative, and a text in parts has several."""
    body = told(
        ("-8174720676710228700", "13056708084", "SENT_TO_CARRIER"),
        ("6710228708174720670", "+18133210984", "SENT_TO_CARRIER"),
        ("-1", "13056708084", "SENT_TO_CARRIER"),
    )
    assert [
        spi.Accepted(("6710228708174720670",)),
        spi.Accepted(("-8174720676710228700", "-1")),
        spi.Unknown("missing", "the answer does not name the recipient"),
    ] == judged(body, message(), message("+13056708084"), message("+13056700000"))


@pytest.mark.covers("message.status")
@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("SENT_TO_CARRIER", spi.Accepted(("1",))),
        ("BAD", spi.Rejected(spi.Reason.INVALID_RECIPIENT, "BAD")),
        ("NO", spi.Rejected(spi.Reason.REFUSED_BY_PROVIDER, "NO")),
        ("OUT", spi.Rejected(spi.Reason.OPTED_OUT, "OUT")),
        ("FULL", spi.NotAccepted(code="FULL", about_message=True)),
        ("NEW", spi.Unknown("NEW", "message_statuses does not list the status")),
        ("your text", spi.Unknown("unlisted", "message_statuses does not list the status")),
    ],
)
def test_a_status_means_what_the_settings_say(said, outcome):
    """One that they do not list claims nothing, and is quoted only where it is a word."""
    statuses = {
        "SENT_TO_CARRIER": "accepted",
        "BAD": "invalid_recipient",
        "NO": "rejected",
        "OUT": "opted_out",
        "FULL": "not_accepted",
    }
    assert [outcome] == judged(told(("1", "18133210984", said)), message(), message_statuses=statuses)


def test_parts_that_fared_differently_are_in_doubt():
    """Some of the text may have gone out."""
    body = told(("1", "18133210984", "SENT_TO_CARRIER"), ("2", "18133210984", "NEW"))
    (outcome,) = judged(body, message())
    assert spi.Unknown is type(outcome)


@pytest.mark.parametrize("identity", ["", "x" * 256])
def test_a_message_without_an_id_is_in_doubt(identity):
    """Nobody could follow it."""
    assert [spi.Unknown("unreadable")] == judged(
        told((identity, "18133210984", "SENT_TO_CARRIER")), message()
    )


@pytest.mark.covers("answer.status", "answer.description")
@pytest.mark.parametrize(
    ("failures", "outcome"),
    [
        ({}, spi.Unknown("ERROR")),
        ({"ERROR": "rejected"}, spi.Rejected(code="ERROR")),
        ({"ERROR": "rejected", "Try again": "not_accepted"}, spi.NotAccepted(code="unlisted")),
        ({"ERROR": "not_accepted", "Try again": "unknown"}, spi.NotAccepted(code="ERROR")),
    ],
    ids=["unlisted", "status", "description", "both"],
)
def test_an_answer_that_is_not_ok_means_what_the_settings_say(failures, outcome):
    """By its description, else by its status; else nothing is known."""
    body = told(status="ERROR", description="Try again")
    assert [outcome] * 2 == judged(body, message(), message("+13056708084"), failures=failures)


@pytest.mark.parametrize(
    ("http_status", "outcome"),
    [
        (401, spi.NotAccepted),
        (403, spi.NotAccepted),
        (429, spi.NotAccepted),
        (404, spi.Unknown),
        (500, spi.Unknown),
    ],
)
def test_the_status_of_http_says_what_it_can(http_status, outcome):
    """Whatever the body holds."""
    (found,) = judged(told(("1", "18133210984", "SENT_TO_CARRIER")), message(), http_status=http_status)
    assert outcome is type(found)
