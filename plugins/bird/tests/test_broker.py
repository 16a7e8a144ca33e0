"""A broker, the plugin and the fake Bird: from Send over webhooks to the end, and back with a reply."""

import asyncio

import grpc
import pytest

import waypost
from waypost.v1 import content_pb2, template_pb2, template_service_pb2, template_service_pb2_grpc
from waypost_bird.fake import FakeServer, example_bird, example_settings
from waypost_bird.fake.example import ACCESS_KEY, NUMBER, SIGNING_KEY

WAIT_S_MAX = 30
PROJECT = "ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318"
ENDS = {
    "+447700900123": ("DELIVERED", "", "delivered"),
    "+447700900001": ("REJECTED", "INVALID_RECIPIENT", "ValidationError"),
    "+447700900002": ("DELIVERY_FAILED", "UNDELIVERABLE", "delivery_failed sms-messagebird 1"),
    "+447700900003": ("DELIVERY_FAILED", "PROVIDER_UNAVAILABLE", "sending_failed accounting 9"),
    "+447700900004": ("DELIVERY_FAILED", "REFUSED_BY_PROVIDER", "rejected pre-processing 12002"),
    "+447700900005": ("DELIVERY_FAILED", "REFUSED_BY_PROVIDER", "deleted pre-processing deleted"),
    "+447700900006": ("DELIVERED", "", "delivered"),
    "+447700900008": ("DELIVERED", "", "delivered"),
    "+447700900009": ("DELIVERY_FAILED", "OPTED_OUT", "rejected contact unsubscribed"),
    "+447700900010": ("UNKNOWN", "AMBIGUOUS", "InternalError"),
}
"""How a message to each of these numbers ends: its status, why, and Bird's own code."""


async def ends_of(client, count):
    """The last event of each message, by recipient, once so many have ended."""
    found = {}
    async with asyncio.timeout(WAIT_S_MAX):
        async for event in client.subscribe(waypost.MessageEvent, from_beginning=True):
            if event.end and event.fact.name != "LATE_RECEIPT":
                found[event.recipient] = event
            if len(found) == count:
                return found
    raise AssertionError("the events ended")


async def first(client, kind, fits):
    """The first event of a kind that fits."""
    async with asyncio.timeout(WAIT_S_MAX):
        async for event in client.subscribe(kind, from_beginning=True):
            if fits(event):
                return event
    raise AssertionError("the events ended")


@pytest.mark.covers(
    "send",
    "webhook.outbound",
    "webhook.signature",
    "status.accepted",
    "status.rejected",
    "status.processing",
    "status.scheduled",
    "status.sent",
    "status.sending_failed",
    "status.delivered",
    "status.delivery_failed",
    "status.deleted",
    "error.http",
)
async def test_messages_end_as_bird_says(broker):
    """Each number of the fake's script by its own way; in log and events no key of either side."""
    async with FakeServer(example_bird()) as server:
        running = broker(bird={"type": "bird", **example_settings(server.url)})
        async with running.client() as client:
            await client.send(
                "Your parcel is on its way", to=list(ENDS), guarantee=waypost.Guarantee.AT_MOST_ONCE
            )
            ends = await ends_of(client, len(ENDS))
        found = {
            to: (each.status.name, each.reason.name if each.reason else "", each.provider_code)
            for to, each in ends.items()
        }
        assert ENDS == found
        await server.settled()
        assert (len(ENDS) - 1, {200}) == (server.bird.books["taken"], set(server.answers))
        told = "\n".join([running.log, *map(repr, ends.values())])
        assert [] == [secret for secret in (ACCESS_KEY, SIGNING_KEY) if secret in told]
        assert "Your parcel" not in running.log


@pytest.mark.covers("webhook.inbound", "send.replyTo", "send.tags", "send.meta.campaign", "send.sender")
async def test_a_reply_comes_in_and_its_answer_goes_into_the_thread(broker):
    """With what the caller attached: Bird is told the message that is answered by Bird's own id."""
    async with FakeServer(example_bird()) as server:
        running = broker(bird={"type": "bird", **example_settings(server.url)})
        async with running.client() as client:
            sent = await client.send("Shall we come?", to="+447700900012", sender=NUMBER)
            reply = await first(client, waypost.InboundEvent, lambda event: event.text == "YES")
            assert (NUMBER, sent.results[0].message_id) == (reply.recipient, reply.reply_to_message_id)
            await client.send(
                "We will",
                to="+447700900123",
                reply_to_message_id=reply.message_id,
                campaign=waypost.Campaign("spring", "Spring"),
                tags=["visit"],
                client_reference="order-7",
            )
            await first(client, waypost.MessageEvent, lambda event: event.end and event.tags == ("visit",))
        taken = server.bird.messages[-1]
        assert {"id": reply.provider_message_id, "type": "message"} == taken["replyTo"]
        assert (["visit"], {"name": "Spring"}) == (taken["tags"], taken["meta"]["campaign"])
        assert {"campaignId": "spring", "clientReference": "order-7"} == taken["meta"]["extraInformation"]


@pytest.mark.covers(
    *("body.image", "body.image.images", "body.image.text", "body.metadata.subject", "mms.capable"),
    *("send.template", "template.projectId", "template.version", "template.locale", "template.parameters"),
)
async def test_media_go_where_a_channel_can_do_it_and_templates_as_birds_own(broker):
    """The instance serves MMS with such a channel, and is no route for it without; a stored template is named to Bird."""
    picture = waypost.Mms("Look", "S", [waypost.Media(url="https://files.example.org/a.png")])
    async with FakeServer(example_bird()) as server:
        able = {"type": "bird", **example_settings(server.url)}
        able["templates"] = {"shop/bill": {"project_id": PROJECT}}
        running = broker(able=able, unable={**able, "mms_channel_ids": []})
        async with running.client() as client:
            taken = await client.send(picture, to="+15005550123")
            refused = await client.send(picture, to="+15005550124", provider="unable")
            end = await first(
                client, waypost.MessageEvent, lambda event: event.end and event.provider == "able"
            )
            await asyncio.to_thread(store_template, running)
            bill = waypost.Template("bill", project="shop", parameters={"Sum": "5"})
            await client.send(
                template=bill,
                to=waypost.Recipient(phone_number="+447700900123", tokens={"Name": "Ada"}),
                tags=["bill"],
            )
            await first(client, waypost.MessageEvent, lambda event: event.end and event.tags == ("bill",))
        assert ("REJECTED", "NO_ROUTE") == (refused.results[0].status.name, refused.results[0].reason.name)
        assert ("DELIVERED", taken.results[0].message_id) == (end.status.name, end.message_id)
        image = {"images": [{"mediaUrl": "https://files.example.org/a.png"}], "text": "Look"}
        media, templated = server.bird.messages
        assert {**image, "metadata": {"subject": "S"}} == media["body"]["image"]
        assert {"Name": "Ada", "Sum": "5"} == {
            each["key"]: each["value"] for each in templated["template"].pop("parameters")
        }
        assert {"projectId": PROJECT, "version": "latest", "locale": "en"} == templated["template"]


def store_template(running):
    """Store what a bill says."""
    template = template_pb2.Template(
        project="shop",
        name="bill",
        locales={"en": content_pb2.Content(sms=content_pb2.SmsContent(text="$Name$ owes $Sum$"))},
        parameters=[template_pb2.TemplateParameter(name=each) for each in ("Name", "Sum")],
    )
    with grpc.insecure_channel(running.address) as channel:
        template_service_pb2_grpc.TemplateServiceStub(channel).CreateTemplate(
            template_service_pb2.CreateTemplateRequest(template=template),
            metadata=[("authorization", f"Bearer {running.key}")],
            timeout=10,
            wait_for_ready=True,
        )
