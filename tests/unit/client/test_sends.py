"""SendRequest to protobuf, and answers back."""

from datetime import UTC, datetime, timedelta
from typing import get_type_hints

import pytest

from waypost import (
    Attachment,
    CallbackMethod,
    Campaign,
    Channel,
    Email,
    Encoding,
    Guarantee,
    InApp,
    LinkAction,
    Media,
    Mms,
    Options,
    Price,
    Push,
    Reason,
    Recipient,
    SendRequest,
    Sms,
    Status,
    Traffic,
)
from waypost.sending import SendFields
from waypost.v1 import channel_pb2, content_pb2, send_pb2, status_pb2
from waypost.wire.contents import content_message, content_of
from waypost.wire.sends import request_message, sent_of

NUMBER = "+447700900123"
AT = datetime(2026, 12, 24, 18, 0, tzinfo=UTC)


def test_the_keyword_arguments_of_send_are_the_fields_of_a_request() -> None:
    """Two lists of the same, since Python has no way to derive one from the other."""
    fields = get_type_hints(SendRequest)
    del fields["content"], fields["_"]
    assert fields == get_type_hints(SendFields)


def test_every_field_of_the_proto_can_be_set() -> None:
    """All but templates, which no broker has yet."""
    request = SendRequest(
        [Sms("Hello")],
        to=NUMBER,
        sender="Acme",
        traffic=Traffic.PASSCODE,
        channels=[Channel.SMS],
        guarantee=Guarantee.AT_MOST_ONCE,
        schedule_time=AT,
        validity=timedelta(minutes=5),
        client_reference="r",
        campaign=Campaign("c", "Christmas"),
        data="d",
        tags=["a", "b"],
        reply_to_message_id="6GZT1FSW00001",
        callback_url="https://example.org",
        provider="sandbox",
        options=Options(track_links=True, callback_method=CallbackMethod.GET),
        tokens={"name": "Ada"},
        origin="shop",
        validate_only=True,
        request_id="q",
        account_id="6GZT1FS6W0000",
        sender_pool="care",
    )
    message = request_message(request)
    unset = {field.name for field in message.DESCRIPTOR.fields} - {
        each.name for each, _ in message.ListFields()
    }
    assert {"template"} == unset
    assert channel_pb2.TRAFFIC_PASSCODE == message.traffic
    assert [channel_pb2.CHANNEL_SMS] == list(message.channels)
    assert 300 == message.validity.seconds
    assert AT == message.schedule_time.ToDatetime(UTC)


def test_a_plain_str_is_an_sms_to_a_number_or_a_mailbox() -> None:
    """The shortest request there is."""
    message = request_message(SendRequest("Hello", to=[NUMBER, "ada@example.org"]))
    assert "Hello" == message.content.sms.text
    assert [(NUMBER, ""), ("", "ada@example.org")] == [
        (each.phone_number, each.email) for each in message.recipients
    ]


def test_a_single_tag_is_not_taken_for_its_letters() -> None:
    """A str is a sequence of strs, to Python and to protobuf."""
    assert ["sale"] == list(request_message(SendRequest("Hello", to=NUMBER, tags="sale")).tags)


def test_a_recipient_can_have_wishes_of_its_own() -> None:
    """Over those of the request."""
    recipient = Recipient(
        phone_number=NUMBER, tokens={"name": "Ada"}, schedule_time=AT, client_reference="r", data="d"
    )
    (message,) = request_message(SendRequest("Hello $name$", to=recipient)).recipients
    assert ("r", "d", {"name": "Ada"}) == (message.client_reference, message.data, dict(message.tokens))
    assert AT == message.schedule_time.ToDatetime(UTC)


def test_each_request_has_an_id_of_its_own() -> None:
    """Which makes it safe to repeat without asking the caller for one."""
    first, second = SendRequest("Hello", to=NUMBER), SendRequest("Hello", to=NUMBER)
    assert first.request_id
    assert first.request_id != second.request_id
    assert first.request_id == request_message(first).request_id


@pytest.mark.parametrize(
    "content",
    [
        Sms("Hello", "Subject"),
        Sms("Hello", link_actions=(LinkAction("Go", "https://example.org/a"),)),
        Mms("Hello", link_actions=(LinkAction("Go", "https://example.org/a"),) * 2),
        Mms("Hello", "Subject", (Media(url="https://example.org/a.png", content_type="image/png"),)),
        Email(
            subject="Hello",
            html="<b>Hello</b>",
            attachments=(
                Attachment(file_name="a.txt", content_type="text/plain", data=b"a"),
                Attachment(file_name="b.txt", content_type="text/plain", url="https://example.org/b.txt"),
            ),
        ),
        Push("Hello", "Title", {"key": "value"}),
        InApp("Hello"),
    ],
)
def test_content_comes_back_as_it_went(content) -> None:
    """Each channel's."""
    assert content == content_of(content_message(content))


def test_several_contents_share_a_request() -> None:
    """One for each channel, so that the broker can pick."""
    message = content_message([Sms("Hello"), InApp()])
    assert ["sms", "in_app"] == [field.name for field, _ in message.ListFields()]


def test_two_contents_for_a_channel_are_refused() -> None:
    """Protobuf would keep the last without a word."""
    with pytest.raises(ValueError, match="two contents for SMS"):
        content_message([Sms("Hello"), Sms("Bye")])


def test_an_attachment_has_one_source() -> None:
    """Bytes or an address, not both and not neither."""
    with pytest.raises(ValueError, match="one of data and url"):
        content_message(
            Email(subject="s", text="t", attachments=[Attachment(file_name="a", content_type="text/plain")])
        )


def test_content_of_a_channel_that_is_new_is_none() -> None:
    """An older client can still read the rest of the message."""
    assert None is content_of(content_pb2.Content())


def test_an_answer_is_a_sequence_of_results() -> None:
    """With None where the broker said nothing."""
    response = send_pb2.SendResponse()
    accepted = response.results.add(
        message_id="m", status=status_pb2.MESSAGE_STATUS_ACCEPTED, encoding=channel_pb2.ENCODING_GSM7, units=1
    )
    accepted.transmit_time.FromDatetime(AT)
    accepted.price.amount_micros, accepted.price.currency = 1_250_000, "EUR"
    response.results.add(
        recipient_index=1,
        status=status_pb2.MESSAGE_STATUS_REJECTED,
        reason=status_pb2.REASON_INVALID_RECIPIENT,
    )
    first, second = sent = sent_of("q", response)
    assert ("q", 2) == (sent.request_id, len(sent))
    assert (Status.ACCEPTED, None, Encoding.GSM7, AT, Price(1_250_000, "EUR")) == (
        first.status,
        first.reason,
        first.encoding,
        first.transmit_time,
        first.price,
    )
    assert (1, Status.REJECTED, Reason.INVALID_RECIPIENT, None, None) == (
        second.recipient_index,
        second.status,
        second.reason,
        second.transmit_time,
        second.price,
    )
