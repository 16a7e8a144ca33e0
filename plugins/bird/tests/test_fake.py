"""The fake Bird: it refuses what the document says is refused, keeps what it took, and reports."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import aiohttp
import pytest

from waypost_bird.fake import FakeServer, example_bird
from waypost_bird.fake.__main__ import how
from waypost_bird.fake.example import ACCESS_KEY, CHANNEL, NUMBER, TEXT_ONLY_CHANNEL, WORKSPACE
from waypost_bird.settings import BirdSettings

HOOK = "https://waypost.example/hook"
RECEIVER = {"contacts": [{"identifierKey": "phonenumber", "identifierValue": "+31612345678"}]}
TEXT = {"type": "text", "text": {"text": "Single text message"}}
PNG = "https://files.example.org/a.png"
PLAIN = {"receiver": RECEIVER, "body": TEXT}
TEMPLATE = {
    "projectId": "ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318",
    "version": "latest",
    "locale": "en",
    "parameters": [{"type": "string", "key": "name", "value": "Robert"}],
}


def ahead(**span):
    """A time from now, as RFC 3339 writes it."""
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


@pytest.mark.covers(
    "send",
    "send.body",
    "answer.id",
    "answer.status",
    "answer.channelId",
    "answer.sender",
    "answer.receiver",
    "answer.createdAt",
    "answer.updatedAt",
    "answer.direction",
    "answer.origin",
    "answer.meta",
    "answer.reference",
    "answer.replyTo",
    "answer.shortLinks",
    "answer.tags",
    "answer.body",
)
def test_a_message_is_taken_and_answered_with_itself(post):
    """With all that the document says every message has, and what the request said; tags in lower case."""
    said = {
        "reference": "order-7",
        "tags": ["spring"],
        "meta": {"campaign": {"name": "Spring"}},
        "replyTo": {"id": "x", "type": "message"},
        "shortLinks": {"domain": "default"},
    }
    status, message = post(PLAIN | said | {"tags": ["Spring"]})
    required = {"id", "channelId", "sender", "receiver", "status", "lastStatusAt", "createdAt", "updatedAt"}
    assert (202, "accepted", set()) == (status, message["status"], required - message.keys())
    assert (str(CHANNEL), "outgoing", "api") == (
        message["channelId"],
        message["direction"],
        message["origin"]["type"],
    )
    assert PLAIN | said == {name: message[name] for name in (PLAIN | said)}


@pytest.mark.covers(
    "send.receiver",
    "send.template",
    "send.meta",
    "body.text.actions",
    "body.text.attachments",
    "body.image",
    "body.file",
    "body.metadata.subject",
    "send.shortLinks",
)
@pytest.mark.parametrize(
    "document",
    [
        {"receiver": {"contacts": [{"identifierValue": "+31612345678"}]}, "body": TEXT},
        {"receiver": RECEIVER, "template": TEMPLATE},
        PLAIN | {"scheduledFor": ahead(days=34), "validity": 600},
        PLAIN | {"capFrequency": True, "meta": {"extraInformation": {"useCase": "marketing"}}},
        PLAIN | {"shortLinks": {"domain": "default"}, "enableLinkTracking": True, "ignoreQuietHours": True},
        PLAIN | {"meta": {"campaign": {"id": str(uuid4()), "name": "Spring"}, "journey": {"name": "x"}}},
        PLAIN
        | {
            "body": {
                "type": "text",
                "text": {"text": "x", "attachments": [{"mediaUrl": PNG, "filename": "a"}]},
            }
        },
        PLAIN
        | {
            "body": {
                "type": "text",
                "text": {"text": "x", "actions": [{"type": "link", "link": {"text": "Open", "url": PNG}}]},
            }
        },
        PLAIN
        | {"body": {"type": "image", "image": {"images": [{"mediaUrl": PNG}], "metadata": {"subject": "S"}}}},
        PLAIN
        | {"body": {"type": "file", "file": {"files": [{"mediaUrl": PNG, "contentType": "image/png"}]}}},
    ],
)
def test_what_the_document_shows_is_taken(post, document):
    """Each of its samples, in short."""
    assert 202 == post(document)[0]


@pytest.mark.covers(
    "error.http",
    "error.details",
    "send.receiver",
    "send.validity",
    "send.tags",
    "send.capFrequency",
    "send.shortLinks",
    "send.replyTo",
    "send.notification",
    "send.sender",
    "send.meta.campaign",
    "template.projectId",
    "template.parameters",
    "body.image.images",
    "body.file.contentType",
)
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"receiver": {}}, "receiver.contacts"),
        ({"receiver": {"contacts": RECEIVER["contacts"] * 2}}, "receiver.contacts"),
        ({"receiver": {"contacts": [{"identifierValue": "0612"}]}}, "receiver.contacts.0.identifierValue"),
        ({"template": TEMPLATE}, "body"),
        ({"body": None}, "body"),
        ({"body": {"type": "fax"}}, "body.type"),
        ({"body": {"type": "text", "text": {"text": ""}}}, "body.text.text"),
        ({"body": {"type": "image", "image": {"images": [{"mediaUrl": PNG}] * 11}}}, "body.image.images"),
        ({"body": {"type": "file", "file": {"files": [{"mediaUrl": PNG}]}}}, "body.file.files.0"),
        ({"body": None, "template": TEMPLATE | {"projectId": "x"}}, "template.projectId"),
        ({"body": None, "template": TEMPLATE | {"parameters": [{}]}}, "template.parameters.0"),
        ({"body": None, "template": TEMPLATE, "shortLinks": {"domain": "default"}}, "shortLinks"),
        ({"shortLinks": {}}, "shortLinks.domain"),
        ({"scheduledFor": ahead(days=36)}, "scheduledFor"),
        ({"scheduledFor": "tomorrow"}, "scheduledFor"),
        ({"validity": -1}, "validity"),
        ({"validity": "600"}, "validity"),
        ({"tags": ["x"] * 11}, "tags"),
        ({"tags": ["größe"]}, "tags.0"),
        ({"capFrequency": True}, "capFrequency"),
        ({"ignoreQuietHours": "yes"}, "ignoreQuietHours"),
        ({"replyTo": {"id": "x"}}, "replyTo"),
        ({"notification": {"url": "here"}}, "notification.url"),
        ({"sender": {}}, "sender.connector.identifierValue"),
        ({"meta": {"campaign": {"id": "spring"}}}, "meta.campaign.id"),
        ({"meta": {"colour": 1}}, "meta.colour"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field(post, changes, field):
    """With 422, Bird's error, and nothing taken."""
    status, error = post({name: each for name, each in (PLAIN | changes).items() if each is not None})
    assert (422, "ValidationError", [field]) == (status, error["code"], list(error["details"]))
    assert [] == post.bird.messages


@pytest.mark.covers("mms.capable")
def test_media_go_through_a_channel_that_can_do_mms(post):
    """And through no other."""
    document = PLAIN | {"body": {"type": "image", "image": {"images": [{"mediaUrl": PNG}]}}}
    assert [202, 422] == [post(document, channel)[0] for channel in (CHANNEL, TEXT_ONLY_CHANNEL)]


@pytest.mark.covers("send.authorization", "send.workspaceId", "send.channelId", "error.http")
def test_whom_it_does_not_know_is_refused(post):
    """A key, a workspace, a channel, a body that is none."""
    path = f"/workspaces/{WORKSPACE}/channels/{CHANNEL}/messages"
    assert 401 == post(PLAIN, authorization=f"Bearer {ACCESS_KEY}")[0]
    assert 404 == post(PLAIN, uuid4())[0]
    assert 404 == post.to(f"/workspaces/{uuid4()}/channels/{CHANNEL}/messages", PLAIN)[0]
    assert 404 == post.to("/workspaces/a/channels/b/messages", PLAIN)[0]
    assert 400 == post([])[0]
    assert 405 == post.bird.handle("GET", path, {"authorization": f"AccessKey {ACCESS_KEY}"}, b"").status


def test_every_message_is_another(post):
    """Also to the same person: nothing that we send would let Bird know a message again."""
    ids = [post(PLAIN)[1]["id"] for _ in range(3)]
    assert (3, 3) == (len(set(ids)), post.bird.books["taken"])


@pytest.mark.covers("webhook.outbound", "send.notification")
def test_it_reports_where_the_message_says_or_its_subscription(post):
    """In order; the books say how each ended."""
    post.bird.subscription = f"{HOOK}/all"
    post(PLAIN)
    post(
        PLAIN
        | {
            "receiver": {"contacts": [{"identifierValue": "+31612340002"}]},
            "notification": {"url": f"{HOOK}/own"},
        }
    )
    told = [(each.url, json.loads(each.body)["payload"]["status"]) for each in post.bird.webhooks]
    delivered = [(f"{HOOK}/all", each) for each in ("processing", "sent", "delivered")]
    failed = [(f"{HOOK}/own", each) for each in ("processing", "sent", "delivery_failed")]
    assert delivered + failed == told
    assert Counter(taken=2, delivered=1, delivery_failed=1) == post.bird.books


async def test_webhooks_are_made_until_they_are_taken():
    """Signed each time anew."""
    answers, seen = [500, 503, 200, 200, 200], []

    async def hook(request):
        seen.append(request.headers["messagebird-signature"])
        return aiohttp.web.Response(status=answers[len(seen) - 1])

    application = aiohttp.web.Application()
    application.router.add_post("/hook", hook)
    runner = aiohttp.web.AppRunner(application)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    async with FakeServer(example_bird(subscription=url)) as server, aiohttp.ClientSession() as session:
        path = f"{server.url}/workspaces/{WORKSPACE}/channels/{CHANNEL}/messages"
        headers = {"Authorization": f"AccessKey {ACCESS_KEY}"}
        async with session.post(path, json=PLAIN, headers=headers) as answer:
            assert 202 == answer.status
        said = {"from": "+15005550123", "to": NUMBER, "text": "Hello"}
        async with session.post(f"{server.url}/phone", data=said | {"to": "+1"}) as answer:
            assert 404 == answer.status
        async with asyncio.timeout(10):
            await server.settled()
    await runner.cleanup()
    assert (5, Counter({200: 3, 500: 1, 503: 1})) == (len(seen), server.answers)


def test_what_it_prints_is_a_right_table():
    """Whoever starts it can paste that into a broker's settings."""
    import tomllib

    table = tomllib.loads(how("http://127.0.0.1:8099"))["providers"]["bird"]
    assert "bird" == table.pop("type")
    assert WORKSPACE == BirdSettings.model_validate(table).workspace_id
