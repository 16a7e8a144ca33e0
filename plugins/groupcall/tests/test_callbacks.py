"""What Groupcall's callbacks say."""

import json

import pytest

from broker.spi import CallbackRequest, Inbound, Reason, Receipt, ReceiptStatus
from waypost_groupcall.callbacks import heard

WHOLE = "1362.20221107.02517344439098830760-9616fca7b64f405fa9116059403a868f"
SAID = {"sentid": WHOLE, "recipient": "+447700900123", "status": "Delivered", "err": "", "units": "1"}


def get(**said):
    """A GET with these parameters."""
    return CallbackRequest("GET", "", tuple(said.items()), {}, b"")


def facts(request, settings):
    """The facts of a right callback."""
    answer = heard(request, settings)
    assert 200 == answer.status
    return list(answer.facts)


@pytest.mark.covers("callback.get", "callback.status", "callback.recipient", "callback.sentid")
def test_a_status_is_a_receipt(customer):
    """About the message, to whom, and with Groupcall's own word."""
    expected = Receipt(WHOLE, ReceiptStatus.DELIVERED, recipient="+447700900123", code="Delivered")
    assert [expected] == facts(get(**SAID), customer())


@pytest.mark.covers("callback.status")
@pytest.mark.parametrize(
    ("word", "status", "reason"),
    [
        ("Sent", ReceiptStatus.SENT, None),
        ("In Queue", ReceiptStatus.SENT, None),
        ("DELIVERED", ReceiptStatus.DELIVERED, None),
        ("Failed", ReceiptStatus.DELIVERY_FAILED, None),
        ("Expired", ReceiptStatus.DELIVERY_FAILED, None),
        ("Opted out", ReceiptStatus.DELIVERY_FAILED, Reason.OPTED_OUT),
        ("Read", ReceiptStatus.READ, None),
        ("Teleported", ReceiptStatus.UNKNOWN, None),
    ],
)
def test_what_a_status_means(customer, word, status, reason):
    """In any case; one that no table knows is UNKNOWN, with the word passed on."""
    (found,) = facts(get(**SAID | {"status": word}), customer())
    assert (status, reason, word) == (found.status, found.reason, found.code)


@pytest.mark.covers("callback.status")
def test_statuses_are_settings(customer):
    """For those that are met and not printed."""
    (found,) = facts(get(**SAID | {"status": "Teleported"}), customer(statuses={"TELEPORTED": "delivered"}))
    assert ReceiptStatus.DELIVERED is found.status


@pytest.mark.covers("callback.err")
@pytest.mark.parametrize(
    ("error", "reason", "text"),
    [
        ("Invalid number", Reason.INVALID_RECIPIENT, "Invalid number"),
        ("Recipient has opted out", Reason.OPTED_OUT, "Recipient has opted out"),
        ("Handset +447700900123 is off", None, "Handset … is off"),
        ("", None, ""),
    ],
)
def test_the_error_of_a_failure_is_passed_on(customer, error, reason, text):
    """Without the address; where a table knows it, in the broker's words as well."""
    (found,) = facts(get(**SAID | {"status": "Failed", "err": error}), customer())
    assert (reason, text) == (found.reason, found.text)


@pytest.mark.covers("callback.sentid", "callback.clientref")
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"sentid": WHOLE, "clientref": "ours"}, WHOLE),
        ({"sentid": WHOLE.partition("-")[0], "clientref": "ours"}, "ours"),
        ({"sentid": "0", "clientref": "ours"}, "ours"),
        ({"MessageSentId": "0", "MessageId": WHOLE}, WHOLE),
        ({"MessageSentId": "4711"}, "4711"),
        ({"sentid": "4711", "clientref": "{clientref}"}, "4711"),
    ],
)
def test_the_surest_name_counts(customer, said, expected):
    """MessageId where it is whole, else our own reference, else what there is."""
    (found,) = facts(get(status="Sent", **said), customer())
    assert expected == found.provider_message_id


@pytest.mark.covers("callback.all")
def test_names_are_settings_and_their_case_does_not_matter(customer):
    """The document leaves the parameters out."""
    (found,) = facts(get(SENTID=WHOLE, Zustand="Sent"), customer(callback_names={"status": "ZUSTAND"}))
    assert ReceiptStatus.SENT is found.status


@pytest.mark.covers("callback.time")
@pytest.mark.parametrize(
    ("written", "time_us"),
    [
        ("2025-07-15T17:29:12.1234567Z", 1_752_600_552_123_456),
        ("2025-07-15T17:29:12", None),
        ("yesterday", None),
    ],
)
def test_a_body_says_it_as_well(customer, written, time_us):
    """JSON, as some guides of the vendor have it; a time without a zone is none."""
    body = json.dumps({"MessageId": WHOLE, "Status": "Delivered", "Timestamp": written, "Units": 1}).encode()
    (found,) = facts(CallbackRequest("POST", "", (), {}, body), customer())
    assert (WHOLE, ReceiptStatus.DELIVERED, time_us) == (
        found.provider_message_id,
        found.status,
        found.time_us,
    )


@pytest.mark.covers("callback.responses")
def test_a_response_is_a_message_that_came_in(customer):
    """From the number with its country code, to the incoming number, beside the status if there is one."""
    request = get(recipient="447700900123", reply="Yes, thanks", sentid=WHOLE)
    expected = Inbound(sender="+447700900123", recipient="110002233213", text="Yes, thanks")
    assert [expected] == facts(request, customer(short_code="110002233213"))
    both = facts(get(**SAID, reply="Yes"), customer())
    assert [Receipt, Inbound] == [type(each) for each in both]
    assert "groupcall" == both[1].recipient


@pytest.mark.covers("callback.get")
@pytest.mark.parametrize(
    "said",
    [{}, {"sentid": WHOLE}, {"status": "Sent"}, {"sentid": "{sentid}", "status": "Sent"}, {"reply": "Yes"}],
)
def test_what_tells_nothing_is_refused(customer, said):
    """A status without a message, a message without a status, placeholders that nobody filled in."""
    answer = heard(get(**said), customer())
    assert (400, []) == (answer.status, list(answer.facts))
