"""Content → documents and back: each channel's rules from both sides."""

import base64

import pytest
from google.protobuf.json_format import ParseDict

from broker.api.convert.content import content_message, content_of
from broker.api.convert.findings import Findings
from broker.domain.vocabulary import Channel
from waypost.v1 import content_pb2

URL = "https://example.org/a.png?x=1"
FILE = {
    "file_name": "a.pdf",
    "content_type": "application/pdf",
    "data": base64.b64encode(b"\x00\xff").decode(),
}
EMAIL = {"subject": "Hi", "text": "Hello"}
BYTES_8_MIB, BYTES_2_MIB = (base64.b64encode(bytes(size << 20)).decode() for size in (8, 2))
LONG_URL = "https://example.org/" + "a" * 2_028


def acting(count=1, channel="sms", **changes):
    """A text with link actions, all alike."""
    return {channel: {"text": "a", "link_actions": [{"text": "Go", "url": URL} | changes] * count}}


def converted(fields):
    findings = Findings()
    documents = content_of(ParseDict(fields, content_pb2.Content()), findings).documents
    return dict(documents), {each.field.removeprefix("content.") for each in findings.violations}


FULL = {
    "sms": {"text": "a\nb", "subject": "s" * 13, "link_actions": [{"text": "Go", "url": URL}] * 2},
    "mms": {
        "subject": "s",
        "text": "t",
        "media": [{"url": URL, "content_type": "image/png", "file_name": "a.png", "inline": True}],
        "link_actions": [{"text": "Go", "url": URL}],
    },
    "email": {
        "subject": "Hi",
        "text": "Hello",
        "html": "<p>Hello</p>",
        "from_address": "shop@example.org",
        "from_name": "Shop",
        "reply_to": "help@example.org",
        "style_class": "plain",
        "attachments": [FILE, {"file_name": "b", "content_type": "text/plain", "inline": True, "url": URL}],
    },
    "push": {"title": "t", "body": "b", "data": {"k": "v"}},
    "in_app": {"body": "b"},
}


@pytest.mark.parametrize("channel", list(Channel), ids=lambda channel: channel.name)
def test_a_document_has_the_fields_of_the_proto_and_is_shown_again_as_it_was_given(channel):
    """Every field set; bytes are base64."""
    name = channel.name.lower()
    documents, broken = converted({name: FULL[name]})
    assert ({channel: FULL[name]}, set()) == (documents, broken)
    expected = ParseDict({name: FULL[name]}, content_pb2.Content())
    assert expected == content_message(channel, documents[channel])


def test_documents_stand_in_the_order_of_the_channels():
    """The order in which a channel is picked when none is named."""
    assert list(Channel) == list(converted(FULL)[0])


def test_fields_that_were_not_set_are_left_out():
    """Absent, not empty."""
    documents, _ = converted({"sms": {"text": "a"}, "email": EMAIL, "push": {"body": "b"}})
    assert {Channel.SMS: {"text": "a"}, Channel.EMAIL: EMAIL, Channel.PUSH: {"body": "b"}} == documents


def test_a_document_of_a_later_version_is_shown_without_what_is_new():
    """After going back to an older broker."""
    shown = content_message(Channel.SMS, {"text": "a", "later": 1})
    assert "a" == shown.sms.text


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"in_app": {}, "sms": {"text": "short"}, "email": EMAIL}, "short"),
        ({"in_app": {}, "email": EMAIL}, "Hello"),
        ({"in_app": {"body": "own"}, "sms": {"text": "short"}}, "own"),
    ],
)
def test_an_empty_in_app_body_says_what_the_sms_or_else_the_email_says(fields, body):
    """Filled in once, at acceptance."""
    documents, broken = converted(fields)
    assert (body, set()) == (documents[Channel.IN_APP]["body"], broken)


def test_placeholders_are_named_and_stay_as_they_were_written():
    """All of them, wherever they stand; so do doubled dollars beside them."""
    content = content_of(
        ParseDict(
            {"sms": {"text": "$$ $a$", "subject": "$b$"}, "push": {"body": "x", "data": {"k": "$c$"}}},
            content_pb2.Content(),
        ),
        Findings(),
    )
    assert frozenset("abc") == content.names
    assert {"text": "$$ $a$", "subject": "$b$"} == content.documents[Channel.SMS]


def test_without_a_placeholder_doubled_dollars_are_one():
    """And a content that is ready is marked as such, though it may look like one with placeholders."""
    content = content_of(
        ParseDict(
            {"sms": {"text": "$$5 or US$ 6, $$a$$"}, "push": {"body": "x", "data": {"k": "$$"}}},
            content_pb2.Content(),
        ),
        Findings(),
    )
    assert frozenset() == content.names
    assert {"text": "$5 or US$ 6, $a$"} == content.documents[Channel.SMS]
    assert {"k": "$"} == content.documents[Channel.PUSH]["data"]


def email(**changes):
    return {"email": {name: value for name, value in (EMAIL | changes).items() if value is not None}}


def attached(**changes):
    return email(attachments=[{name: value for name, value in (FILE | changes).items() if value is not None}])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"sms": {"text": "x" * 10_000}}, set()),
        ({"mms": {"text": "x" * 10_000, "subject": "s" * 255}}, set()),
        ({"mms": {"media": [{"url": URL}] * 10}}, set()),
        ({"mms": {"media": [{"url": LONG_URL}]}}, set()),
        ({"mms": {"media": [{"url": "HTTP://EXAMPLE.ORG"}]}}, set()),
        (email(subject="s" * 998, from_name="n" * 255), set()),
        (email(text=None, html="<p>"), set()),
        (email(attachments=[FILE] * 10), set()),
        (attached(file_name="n" * 255), set()),
        (attached(data=""), set()),
        (attached(content_type="text/plain; charset=utf-8"), set()),
        (attached(data=None, url="HTTPS://example.org/a"), set()),
        (email(attachments=[FILE | {"data": BYTES_8_MIB}, FILE | {"data": BYTES_2_MIB}]), set()),
        (email(subject="=?utf-8?q?Caf=C3=A9?=", from_name="=?utf-8?q?Caf=C3=A9?="), set()),
        ({"sms": {"text": "$$" * 5_000, "subject": "$$" * 13}}, set()),
        ({"sms": {"text": "a", "subject": "$" * 13}}, set()),
        (acting(10), set()),
        (acting(10, "mms"), set()),
        (acting(text="t" * 64), set()),
        (acting(text="$$" * 64), set()),
        (acting(url=LONG_URL), set()),
        (acting(url="HTTPS://example.org"), set()),
        (acting(url="https://example.org/?a=$$5"), set()),
        (acting(url="$shop$", text="$name$" * 20), set()),
        ({"sms": {"text": "a", "subject": "$CustomerName$"}}, set()),
        (email(subject="$a$" * 333), set()),
        ({"push": {"title": "t" * 255, "body": "b" * 4_000, "data": {"k": "v" * 4_095}}}, set()),
        ({"in_app": {"body": "b" * 10_000}}, set()),
    ],
)
def test_content_at_its_limits_passes(fields, expected):
    """One side of every rule."""
    assert expected == converted(fields)[1]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"sms": {}}, {"sms.text"}),
        ({"sms": {"text": "x" * 10_001}}, {"sms.text"}),
        ({"sms": {"text": "a\0b"}}, {"sms.text"}),
        ({"sms": {"text": "a", "subject": "s" * 14}}, {"sms.subject"}),
        ({"sms": {"text": "a", "subject": "a\nb"}}, {"sms.subject"}),
        (acting(11), {"sms.link_actions"}),
        (acting(11, "mms"), {"mms.link_actions"}),
        (acting(text="t" * 65), {"sms.link_actions[0].text"}),
        (acting(text="$$" * 65), {"sms.link_actions[0].text"}),
        (acting(text=""), {"sms.link_actions[0].text"}),
        (acting(text="a\nb"), {"sms.link_actions[0].text"}),
        (acting(2, url="tel:+447700900123"), {"sms.link_actions[0].url", "sms.link_actions[1].url"}),
        (acting(url=""), {"sms.link_actions[0].url"}),
        (acting(url="https://example.org/a b"), {"sms.link_actions[0].url"}),
        (acting(url=LONG_URL + "a"), {"sms.link_actions[0].url"}),
        (acting(url="$$https://example.org"), {"sms.link_actions[0].url"}),
        (acting(channel="mms", url="no"), {"mms.link_actions[0].url"}),
        (
            {"mms": {"media": [{"url": URL}], "link_actions": [{"text": "Go", "url": URL}]}},
            {"mms.text"},
        ),
        ({"mms": {}}, {"mms.text"}),
        ({"mms": {"text": "x" * 10_001}}, {"mms.text"}),
        ({"mms": {"text": "x", "subject": "s" * 256}}, {"mms.subject"}),
        ({"mms": {"media": [{"url": URL}] * 11}}, {"mms.media"}),
        ({"mms": {"media": [{}]}}, {"mms.media[0].url"}),
        ({"mms": {"media": [{"url": URL}, {"url": "ftp://example.org"}]}}, {"mms.media[1].url"}),
        ({"mms": {"media": [{"url": LONG_URL + "a"}]}}, {"mms.media[0].url"}),
        ({"mms": {"media": [{"url": "https://example.org/a b"}]}}, {"mms.media[0].url"}),
        ({"mms": {"media": [{"url": "https://example.org/\x00"}]}}, {"mms.media[0].url"}),
        ({"mms": {"media": [{"url": URL, "content_type": "png"}]}}, {"mms.media[0].content_type"}),
        ({"mms": {"media": [{"url": URL, "file_name": "n" * 256}]}}, {"mms.media[0].file_name"}),
        (email(subject=None), {"email.subject"}),
        (email(subject="s" * 999), {"email.subject"}),
        (email(subject="a\r\nBcc: x@example.org"), {"email.subject"}),
        (email(text=None), {"email.text"}),
        (email(text="a\0"), {"email.text"}),
        (email(html="a\0"), {"email.html"}),
        (email(from_address="nobody"), {"email.from_address"}),
        (email(reply_to="a@b\r\nBcc: x@example.org"), {"email.reply_to"}),
        (email(from_name="n" * 256), {"email.from_name"}),
        (email(from_name="a\nb"), {"email.from_name"}),
        (email(style_class="a\nb"), {"email.style_class"}),
        (email(attachments=[FILE] * 11), {"email.attachments"}),
        (attached(file_name=None), {"email.attachments[0].file_name"}),
        (attached(file_name="n" * 256), {"email.attachments[0].file_name"}),
        (attached(file_name="../a"), {"email.attachments[0].file_name"}),
        (attached(file_name="a\\b"), {"email.attachments[0].file_name"}),
        (attached(content_type=None), {"email.attachments[0].content_type"}),
        (attached(content_type="text/plain\r\nX: y"), {"email.attachments[0].content_type"}),
        (attached(data=None), {"email.attachments[0]"}),
        (attached(data=None, url="file:///etc/passwd"), {"email.attachments[0].url"}),
        (attached(data=None, url="http://example.org/a"), {"email.attachments[0].url"}),
        (attached(file_name="=?utf-8?q?a=0D=0AX:_y?="), {"email.attachments[0].file_name"}),
        (
            email(attachments=[FILE | {"data": BYTES_8_MIB}, FILE | {"data": BYTES_2_MIB}, FILE]),
            {"email.attachments"},
        ),
        (email(subject="=?utf-8?b?YQ0KQmNjOiB4?="), {"email.subject"}),
        (email(from_name="=?utf-8?q?a=0Ab?="), {"email.from_name"}),
        ({"sms": {"text": "a", "subject": "$$" * 14}}, {"sms.subject"}),
        ({"sms": {"text": "a", "subject": "$a$" * 3_334}}, {"sms.subject"}),
        ({"sms": {"text": "a", "subject": "$a$\n"}}, {"sms.subject"}),
        (email(subject="$ " * 500), {"email.subject"}),
        (email(subject="$a=?utf-8?q?=0A?="), {"email.subject"}),
        ({"push": {"body": "$" * 8_003}}, {"push.body"}),
        ({"push": {}}, {"push.body"}),
        ({"push": {"body": "b" * 4_001}}, {"push.body"}),
        ({"push": {"body": "b", "title": "t" * 256}}, {"push.title"}),
        ({"push": {"body": "b", "data": {"k": "v" * 4_096}}}, {"push.data"}),
        ({"push": {"body": "b", "data": {"k": "ä" * 2_048}}}, {"push.data"}),
        ({"push": {"body": "b", "data": {"k": "\0"}}}, {"push.data"}),
        ({"in_app": {}}, {"in_app.body"}),
        ({"in_app": {"body": "b" * 10_001}}, {"in_app.body"}),
        ({"in_app": {}, "email": EMAIL | {"text": "x" * 10_001}}, {"in_app.body"}),
        ({}, {"content"}),
    ],
)
def test_content_that_breaks_a_rule_is_refused_with_its_field(fields, expected):
    """The other side of every rule."""
    assert expected == converted(fields)[1]
