"""Messages as Bird's requests: each field where the document has it, and nothing left out in silence."""

from uuid import UUID

import pytest

from broker.spi import Campaign, Channel, Reason, Rejected, TemplateUsed, Traffic
from broker.testing.clock import NOW_US, SECOND_US
from waypost_bird.fake.example import CHANNEL, NUMBER, TEXT_ONLY_CHANNEL, TEXT_ONLY_NUMBER
from waypost_bird.mapping import request_of

NOTIFY = "https://waypost.example/callbacks/bird/secret"
PROJECT = "ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318"
PNG, MP4 = "https://files.example.org/a.png", "https://files.example.org/b.mp4"
BILL = {"shop/bill": {"project_id": PROJECT}}


@pytest.fixture
def document(message, settings):
    """The document that a message becomes, with some settings changed."""

    def build(changes=None, *, notify=NOTIFY, **fields):
        request = request_of(message(**fields), settings(**(changes or {})), notify, NOW_US)
        assert not isinstance(request, Rejected), request
        return request.document

    return build


@pytest.fixture
def refusal(message, settings):
    """Why a message is refused before anything is sent."""

    def build(changes=None, **fields):
        refused = request_of(message(**fields), settings(**(changes or {})), NOTIFY, NOW_US)
        assert isinstance(refused, Rejected)
        return refused.reason, refused.text

    return build


@pytest.mark.covers(
    "send.receiver",
    "send.receiver.identifierKey",
    "send.receiver.identifierValue",
    "send.reference",
    "send.validity",
    "send.ignoreQuietHours",
    "send.notification",
    "body.text",
    "body.text.text",
)
def test_a_plain_text_says_no_more_than_it_must(document):
    """To whom, what, how long it is valid still, where to report, and that it waits for nothing."""
    expected = {
        "receiver": {"contacts": [{"identifierKey": "phonenumber", "identifierValue": "+447700900123"}]},
        "reference": "01KAB3XQ8G000",
        "validity": 3_600,
        "ignoreQuietHours": True,
        "notification": {"url": NOTIFY},
        "body": {"type": "text", "text": {"text": "Your parcel is on its way"}},
    }
    assert expected == document()


@pytest.mark.covers("send.validity")
def test_validity_is_what_is_left_of_it(message, settings):
    """In whole seconds, and at least one."""
    for passed_s, left_s in ((0.5, 3_599), (3_599.5, 1), (3_600, 1)):
        now_us = NOW_US + round(passed_s * SECOND_US)
        assert left_s == request_of(message(), settings(), "", now_us).document["validity"]


@pytest.mark.covers("send.notification")
def test_without_an_address_none_is_named(document):
    """As where the broker serves no HTTP."""
    assert "notification" not in document(notify="")


@pytest.mark.covers("send.sender", "send.channelId")
@pytest.mark.parametrize(
    ("sender", "channel_id", "told"),
    [
        ("", CHANNEL, None),
        (TEXT_ONLY_NUMBER, TEXT_ONLY_CHANNEL, None),
        (NUMBER, CHANNEL, {"connector": {"identifierValue": NUMBER}}),
    ],
    ids=["none", "of a channel", "another"],
)
def test_a_sender_picks_its_channel_or_is_told(message, settings, sender, channel_id, told):
    """A channel is a number already; any other sender is Bird's to judge."""
    request = request_of(message(sender=sender), settings(), NOTIFY, NOW_US)
    assert (channel_id, told) == (request.channel_id, request.document.get("sender"))


@pytest.mark.covers("send.reference", "send.meta.extraInformation")
def test_the_reference_is_the_message_or_the_callers(document):
    """Whichever the settings say; the other one goes along."""
    first = document(client_reference="order-7")
    assert ("01KAB3XQ8G000", {"clientReference": "order-7"}) == (
        first["reference"],
        first["meta"]["extraInformation"],
    )
    changes = {"reference": "client_reference"}
    second = document(changes, client_reference="order-7")
    assert ("order-7", {"messageId": "01KAB3XQ8G000"}) == (
        second["reference"],
        second["meta"]["extraInformation"],
    )
    assert "01KAB3XQ8G000" == document(changes)["reference"]


@pytest.mark.covers("send.tags")
def test_tags_are_sent_unless_they_are_to_stay(document):
    """A setting keeps them at home."""
    assert ["one", "two-2"] == document(tags=("one", "two-2"))["tags"]
    assert "tags" not in document({"tags": False}, tags=("one", "größe"))


@pytest.mark.covers("send.tags")
@pytest.mark.parametrize(
    ("tags", "words"), [(("one", "größe"), "tags[1]"), (("x" * 51,), "tags[0]"), (("a",) * 11, "10 at most")]
)
def test_a_tag_that_bird_does_not_take_refuses_the_message(refusal, tags, words):
    """By its name and the rule; it is not left out."""
    reason, text = refusal(tags=tags)
    assert Reason.CONTENT_UNSUPPORTED is reason
    assert words in text


@pytest.mark.covers("send.meta.campaign", "send.meta.extraInformation")
def test_a_campaign_is_told(document):
    """By its id where that is one that Bird could have, else beside it."""
    own = UUID(int=7)
    named = document(campaign=Campaign(str(own), "Spring"), origin="shop")["meta"]
    assert {"campaign": {"id": str(own), "name": "Spring"}, "extraInformation": {"origin": "shop"}} == named
    other = document(campaign=Campaign("spring"))["meta"]
    assert {"campaign": {"name": "spring"}, "extraInformation": {"campaignId": "spring"}} == other


@pytest.mark.covers("send.replyTo")
def test_an_answer_names_the_message_that_it_answers(document):
    """By Bird's own id; a message that another provider brought is nothing to Bird."""
    answered = document(reply_to_message_id="01KAB3XQ00000", reply_to_provider_message_id="in-1")
    assert {"id": "in-1", "type": "message"} == answered["replyTo"]
    assert "replyTo" not in document(reply_to_message_id="01KAB3XQ00000")


@pytest.mark.covers("send.ignoreQuietHours")
@pytest.mark.parametrize(
    ("who", "asked", "ignored"),
    [
        ("broker", False, True),
        ("broker", True, True),
        ("upstream", False, False),
        ("upstream", True, True),
    ],
)
def test_quiet_hours_are_kept_once(document, who, asked, ignored):
    """By the broker, which has kept them already; or by Bird, unless the caller asked for neither."""
    assert ignored is document({"quiet_hours": who}, ignore_quiet_hours=asked)["ignoreQuietHours"]


@pytest.mark.covers("send.capFrequency", "send.meta.extraInformation")
def test_frequency_caps_are_applied_once(document):
    """By the broker, which has done so already; or by Bird, with the use case that it asks for."""
    asked = {"traffic": Traffic.PROMOTIONAL, "cap_frequency": True}
    capped = document({"frequency_caps": "upstream"}, **asked)
    assert (True, "marketing") == (capped["capFrequency"], capped["meta"]["extraInformation"]["useCase"])
    assert "capFrequency" not in document(**asked)
    assert "capFrequency" not in document({"frequency_caps": "upstream"}, traffic=Traffic.PROMOTIONAL)


@pytest.mark.covers("send.shortLinks", "send.enableLinkTracking")
def test_links_are_shortened_once(document):
    """By Bird where the settings say so, and never what the broker has shortened."""
    changes = {"short_links_domain": "go.example.org", "link_tracking": True}
    campaign = Campaign("spring")
    by_bird = document(changes, campaign=campaign)
    assert ({"domain": "go.example.org"}, True) == (by_bird["shortLinks"], by_bird["enableLinkTracking"])
    assert {"shortLinks"} == {"shortLinks", "enableLinkTracking"} & document(changes).keys()
    by_broker = document(changes, campaign=campaign, links_shortened=True)
    assert set() == {"shortLinks", "enableLinkTracking"} & by_broker.keys()


@pytest.mark.covers(
    "send.template",
    "template.projectId",
    "template.version",
    "template.locale",
    "template.parameters",
)
def test_a_template_goes_in_place_of_its_text(document):
    """Where the settings name one of Bird's for it: with the values, and in the message's language."""
    used = {"template": TemplateUsed("shop", "bill", 3, "en-GB"), "template_values": {"name": "Robert"}}
    sent = document({"templates": BILL, "short_links_domain": "go.example.org"}, **used)
    assert {"body", "shortLinks"}.isdisjoint(sent)
    assert {
        "projectId": PROJECT,
        "version": "latest",
        "locale": "en-GB",
        "parameters": [{"type": "string", "key": "name", "value": "Robert"}],
    } == sent["template"]
    fixed = {"shop/bill": {"project_id": PROJECT, "version": "v9", "locale": "en"}}
    assert {"projectId": PROJECT, "version": "v9", "locale": "en"} == document(
        {"templates": fixed}, template=used["template"]
    )["template"]


@pytest.mark.covers("send.template")
def test_a_text_goes_where_no_template_of_birds_could_say_it(document, refusal):
    """Of another template, or with the broker's short links; a subject refuses it."""
    used = TemplateUsed("shop", "bill", 3, "en-GB")
    assert "body" in document({"templates": BILL}, template=TemplateUsed("shop", "other", 1, "en"))
    alone = {"templates": {"bill": BILL["shop/bill"]}}
    assert ["template", "body"] == [
        next(name for name in ("template", "body") if name in document(alone, template=each))
        for each in (TemplateUsed("", "bill", 1, "en"), TemplateUsed("shop", "bill", 1, "en"))
    ]
    assert "body" in document({"templates": BILL}, template=used, links_shortened=True)
    for name, given in (("subject", "Bill"), ("link_actions", [{"text": "Open", "url": PNG}])):
        reason, text = refusal({"templates": BILL}, template=used, content={"text": "x", name: given})
        assert (Reason.CONTENT_UNSUPPORTED, f"sms.{name}") == (reason, text.partition(":")[0])


@pytest.mark.covers("body.text.actions")
def test_link_actions_go_beside_the_text(document):
    """In their order."""
    links = [{"text": "Open", "url": PNG}, {"text": "Film", "url": MP4}]
    said = document(content={"text": "Hello", "link_actions": links})["body"]["text"]
    assert [{"type": "link", "link": each} for each in links] == said["actions"]


@pytest.mark.covers("body.metadata.subject")
def test_a_subject_goes_into_the_metadata(document):
    """Of whatever kind the body is."""
    said = document(content={"text": "Hello", "subject": "Greeting"})["body"]
    assert {"type": "text", "text": {"text": "Hello", "metadata": {"subject": "Greeting"}}} == said


@pytest.mark.covers(
    "body.image",
    "body.image.images",
    "body.image.text",
    "body.metadata.subject",
    "body.file",
    "body.file.files",
    "body.file.contentType",
    "body.file.text",
    "body.text.attachments",
)
@pytest.mark.parametrize(
    ("content", "body"),
    [
        ({"media": [{"url": PNG}]}, {"type": "image", "image": {"images": [{"mediaUrl": PNG}]}}),
        (
            {
                "media": [{"url": PNG, "content_type": "image/png"}, {"url": PNG}],
                "text": "Look",
                "subject": "S",
            },
            {
                "type": "image",
                "image": {
                    "images": [{"mediaUrl": PNG}, {"mediaUrl": PNG}],
                    "text": "Look",
                    "metadata": {"subject": "S"},
                },
            },
        ),
        (
            {"media": [{"url": MP4, "content_type": "video/mp4"}], "text": "Look"},
            {
                "type": "file",
                "file": {"files": [{"mediaUrl": MP4, "contentType": "video/mp4"}], "text": "Look"},
            },
        ),
        (
            {"media": [{"url": PNG, "content_type": "image/png", "file_name": "a.png"}], "subject": "S"},
            {
                "type": "file",
                "file": {
                    "files": [{"mediaUrl": PNG, "contentType": "image/png", "filename": "a.png"}],
                    "metadata": {"subject": "S"},
                },
            },
        ),
        (
            {"media": [{"url": PNG, "inline": True}, {"url": MP4, "file_name": "film.mp4"}], "text": "Look"},
            {
                "type": "text",
                "text": {
                    "text": "Look",
                    "attachments": [
                        {"mediaUrl": PNG, "filename": "a.png", "inline": True},
                        {"mediaUrl": MP4, "filename": "film.mp4", "inline": False},
                    ],
                },
            },
        ),
        ({"text": "Just words"}, {"type": "text", "text": {"text": "Just words"}}),
        (
            {"media": [{"url": PNG}], "text": "Look", "link_actions": [{"text": "Open", "url": MP4}]},
            {
                "type": "text",
                "text": {
                    "text": "Look",
                    "attachments": [{"mediaUrl": PNG, "filename": "a.png", "inline": False}],
                    "actions": [{"type": "link", "link": {"text": "Open", "url": MP4}}],
                },
            },
        ),
    ],
    ids=["image", "images, text and subject", "file", "named image", "attachments", "no media", "actions"],
)
def test_media_go_as_the_kind_of_body_that_can_say_them(document, content, body):
    """Images where that says all, files for types and names, attachments beside a text for what is inline."""
    assert body == document(channel=Channel.MMS, content=content)["body"]


@pytest.mark.covers("body.image.images", "body.file.contentType", "body.text.attachments", "mms.capable")
@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"sender": TEXT_ONLY_NUMBER}, Reason.SENDER_NOT_CAPABLE, "mms_channel_ids"),
        ({"content": {"media": [{"url": PNG}] * 11}}, Reason.CONTENT_UNSUPPORTED, "mms.media"),
        (
            {"content": {"media": [{"url": MP4, "content_type": "video/mp4"}, {"url": PNG}]}},
            Reason.CONTENT_UNSUPPORTED,
            "mms.media[1].content_type",
        ),
        ({"content": {"media": [{"url": PNG, "inline": True}]}}, Reason.CONTENT_UNSUPPORTED, "mms.text"),
        ({"content": {"text": "x", "hologram": 1}}, Reason.CONTENT_UNSUPPORTED, "mms.hologram"),
    ],
)
def test_what_an_mms_cannot_say_is_refused_by_its_name(refusal, fields, reason, words):
    """Before anything is sent."""
    found, text = refusal(**({"channel": Channel.MMS, "content": {"text": "x"}} | fields))
    assert reason is found
    assert words in text
