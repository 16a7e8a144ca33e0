"""Through a real broker, from Send to the end."""

import asyncio
import time

import grpc
import pytest

import waypost
from waypost.v1 import (
    broadcast_pb2,
    broadcast_service_pb2,
    broadcast_service_pb2_grpc,
    broker_service_pb2_grpc,
    content_pb2,
    provider_service_pb2,
    provider_service_pb2_grpc,
    recipient_pb2,
)
from waypost_ogangi.fake import FakeOgangi
from waypost_ogangi.settings import OgangiSettings

PUBLIC_KEY = "public-key-4711"
PRIVATE_KEY = "private-key-0815"


@pytest.fixture
def table(upstream):
    """The instance's table, for a fake that signs alike."""
    table = {
        "base_url": upstream.url,
        "instance_id": "1234",
        "user_name": "ada",
        "public_key": PUBLIC_KEY,
        "private_key": PRIVATE_KEY,
        "message_statuses": {"SENT_TO_CARRIER": "accepted", "INVALID_NUMBER": "invalid_recipient"},
    }
    upstream.answer = FakeOgangi(OgangiSettings.model_validate(table))
    return {"type": "ogangi", **table}


async def ends_of(running, *recipients):
    """The events that end messages to these recipients, by recipient."""
    async with running.client() as client, asyncio.timeout(30):
        sent = await client.send("Your table is ready", to=list(recipients))
        ids = {each.message_id: each.recipient for each in sent.results}
        ends = {}
        async for event in client.subscribe(waypost.MessageEvent, from_beginning=True, message_ids=list(ids)):
            if event.end:
                ends[ids[event.message_id]] = event
            if len(ends) == len(ids):
                return ends
    raise AssertionError("the stream ended before the messages did")


@pytest.mark.covers("send", "message.id", "message.status.SENT_TO_CARRIER", "message.text", "message.to")
def test_messages_go_all_the_way(broker, upstream, table):
    """SENT is the end of those that Ogangi took, under ids below zero too; one that it refuses is REJECTED."""
    running = broker(ogangi=table)
    taken = ("+18133210984", "+13056708084", "+12025550123")
    ends = asyncio.run(ends_of(running, *taken, "+12025550001"))
    assert {**dict.fromkeys(taken, "SENT"), "+12025550001": "REJECTED"} == {
        to: each.status for to, each in ends.items()
    }
    assert "INVALID_RECIPIENT" == ends["+12025550001"].reason
    fake = upstream.answer
    assert {"Your table is ready"} == {each.text for each in fake.sent}
    assert {to.removeprefix("+") for to in ends} == {each.recipient for each in fake.sent}
    assert any(each.id.startswith("-") for each in fake.sent)
    for secret in (PUBLIC_KEY, PRIVATE_KEY, "18133210984", "Your table"):
        assert secret not in running.log


class Broadcasts:
    """BroadcastService of a running broker, in the words of a test."""

    def __init__(self, running):
        self.channel = grpc.insecure_channel(running.address)
        self.metadata = [("authorization", f"Bearer {running.key}")]
        self.service = broadcast_service_pb2_grpc.BroadcastServiceStub(self.channel)

    def make(self, *recipients, **more):
        """Ask for a broadcast that Ogangi runs; as it was stored."""
        request = broadcast_pb2.BroadcastRequest(
            audience=broadcast_pb2.Audience(
                recipients=[recipient_pb2.Recipient(phone_number=each) for each in recipients]
            ),
            content=content_pb2.Content(sms=content_pb2.SmsContent(text="Your table is ready")),
            upstream_provider="ogangi",
            **more,
        )
        stub = broker_service_pb2_grpc.BrokerServiceStub(self.channel)
        return stub.Broadcast(request, metadata=self.metadata).broadcast

    def ask(self, method, made):
        """One of the service's calls about a broadcast."""
        request = getattr(broadcast_service_pb2, f"{method}BroadcastRequest")
        call = getattr(self.service, f"{method}Broadcast")
        return call(request(broadcast_id=made.broadcast_id), metadata=self.metadata).broadcast

    def until(self, made, state, **counts):
        """As it is once it stands there and has counted so many."""
        wanted = broadcast_pb2.BroadcastState.Value(f"BROADCAST_STATE_{state}")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            now = self.ask("Get", made)
            if now.state == wanted and all(getattr(now, name) == count for name, count in counts.items()):
                return now
            time.sleep(0.05)
        raise AssertionError(f"it never was {state} {counts}, but\n{now}")


@pytest.fixture
def serving(broker, upstream, table):
    """Broadcasts of a broker whose Ogangi sends nothing until it is told to."""
    upstream.answer.campaigns.sent_per_look = 0
    running = broker(settings={"broadcasts": {"upstream_poll_s": 0.1}}, ogangi=table)
    serving = Broadcasts(running)
    yield serving
    serving.channel.close()
    for secret in (PUBLIC_KEY, PRIVATE_KEY, "18133210984", "Your table"):
        assert secret not in running.log


@pytest.mark.covers(
    "createBroadcast",
    "createBroadcast.to",
    "createBroadcast.campaignName",
    "createBroadcast.signature",
    "createBroadcast.publicKey",
    "getBroadcast",
    "getBroadcast.instanceId",
    "getBroadcast.broadcastId",
    "getBroadcast.publicKey",
    "getBroadcast.signature",
    *(
        f"{call}.{name}"
        for call in ("suspendBroadcast", "resumeBroadcast")
        for name in ("instanceId", "broadcastId", "publicKey", "signature")
    ),
    "suspendBroadcast",
    "resumeBroadcast",
    "broadcast.id",
    "broadcast.sentMessages",
    "broadcast.status.2",
)
def test_a_broadcast_runs_at_ogangi(serving, upstream):
    """Whole, but for whom the broker refuses; held and resumed there; its counts and its end are Ogangi's."""
    made = serving.make("+18133210984", "+13056708084", "+13056708084", "+12", name="Spring / 1")
    running = serving.until(made, "RUNNING", accepted=2)
    (campaign,) = upstream.answer.campaigns.by_id.values()
    assert "Spring / 1" == campaign.name
    assert [
        {"to": "18133210984", "text": "Your table is ready"},
        {"to": "13056708084", "text": "Your table is ready"},
    ] == campaign.recipients
    assert (3, 1, 2, 1) == (running.expected, running.duplicates, running.accepted, running.refused)
    assert (campaign.id, "ogangi") == (running.upstream_id, running.upstream_provider)
    serving.ask("Suspend", made)
    assert "SUSPENDED" == campaign.state
    serving.until(made, "SUSPENDED")
    serving.ask("Resume", made)
    upstream.answer.campaigns.sent_per_look = 1
    ended = serving.until(made, "COMPLETED", sent=2)
    assert ended.end_time.seconds
    assert [] == upstream.answer.sent


@pytest.mark.covers(
    "shortcodes",
    "shortcodes.instanceId",
    "shortcodes.userName",
    "shortcodes.publicKey",
    "shortcodes.signature",
    "shortcodes.sc",
)
def test_the_short_codes_of_the_workspace_are_listed(serving):
    """For whoever wants to register them as senders."""
    stub = provider_service_pb2_grpc.ProviderServiceStub(serving.channel)
    request = provider_service_pb2.GetUpstreamUsageRequest(name="ogangi")
    found = stub.GetUpstreamUsage(request, metadata=serving.metadata)
    assert (True, False, ["19893653744", "70555"]) == (
        found.tells_senders,
        found.tells_usage,
        list(found.senders),
    )


@pytest.mark.covers(
    "stopBroadcast",
    "deleteBroadcast",
    *(
        f"{call}.{name}"
        for call in ("stopBroadcast", "deleteBroadcast")
        for name in ("instanceId", "broadcastId", "publicKey", "signature")
    ),
)
def test_a_broadcast_is_ended_and_removed_at_ogangi(serving, upstream):
    """And what Ogangi refuses is refused, in its own words where the settings know them."""
    made = serving.make("+18133210984")
    serving.until(made, "RUNNING", accepted=1)
    (campaign,) = upstream.answer.campaigns.by_id.values()
    campaign.state = "COMPLETED"  # it ended by itself, and nobody was told yet
    with pytest.raises(grpc.RpcError) as error:
        serving.ask("Stop", made)
    assert grpc.StatusCode.UNAVAILABLE is error.value.code()
    other = serving.make("+18133210984")
    serving.until(other, "RUNNING", accepted=1)
    serving.ask("Stop", other)
    serving.until(other, "STOPPED")
    serving.ask("Delete", other)
    assert [campaign.id] == list(upstream.answer.campaigns.by_id)
    serving.until(other, "DELETED")
