"""Broadcasts on the wire."""

from dataclasses import replace

import grpc
import pytest

from broker.api.convert.broadcasts import stored_request, stored_wish, wish_of
from broker.delivery.broadcasts.control import BroadcastQuery
from broker.delivery.broadcasts.file_reading import FileFormat, FileKind, FileWish
from broker.delivery.broadcasts.uploads import Received
from broker.domain.broadcast import Broadcast, BroadcastState, Move, Progress
from broker.domain.ids import format_id
from broker.domain.vocabulary import Reason, Traffic
from broker.errors import BrokerError, ErrorReason
from broker.storage.uploads import RefusedRow, Upload, UploadState
from waypost.v1 import broadcast_pb2, send_pb2
from waypost.v1 import broadcast_service_pb2 as pb

NOW_US = 1_790_000_000_000_000
NUMBER = {"phone_number": "+447700900123"}
WHOLE = {
    "request_id": "r",
    "name": "spring",
    "audience": {"recipients": [NUMBER], "group_ids": [format_id(5)]},
    "content": {"sms": {"text": "Hi $name$"}},
    "sender": "Shop",
    "channels": [1],
    "guarantee": 2,
    "schedule_time": {"seconds": NOW_US // 1_000_000 + 60},
    "validity": {"seconds": 3600},
    "client_reference": "ref",
    "campaign": {"id": "c"},
    "data": "{}",
    "tags": ["VIP"],
    "callback_url": "https://example.com/a",
    "provider": "sandbox",
    "tokens": {"name": "you"},
    "origin": "crm",
    "messages_per_minute": 60,
    "draft": True,
}
FROM_A_POOL = {name: given for name, given in WHOLE.items() if name != "sender"} | {"sender_pool": "shop"}
MOVES = {
    "StartBroadcast": Move.START,
    "SuspendBroadcast": Move.SUSPEND,
    "ResumeBroadcast": Move.RESUME,
    "StopBroadcast": Move.STOP,
    "DeleteBroadcast": Move.DELETE,
}
STORED = Broadcast(
    broadcast_id=7,
    account_id=1,
    name="spring",
    state=BroadcastState.RUNNING,
    schedule_at_us=NOW_US,
    messages_per_minute=60,
    upload_id=None,
    created_at_us=NOW_US,
    started_at_us=NOW_US + 1_000_000,
    detail="",
    progress=Progress(10, 1, 8, 2, 7, 6, 1, 7),
)
SHOWN = broadcast_pb2.Broadcast(
    broadcast_id=format_id(7),
    account_id=format_id(1),
    name="spring",
    state=3,
    expected=10,
    duplicates=1,
    accepted=8,
    refused=2,
    sent=7,
    delivered=6,
    failed=1,
    start_time={"seconds": NOW_US // 1_000_000 + 1},
    schedule_time={"seconds": NOW_US // 1_000_000},
    create_time={"seconds": NOW_US // 1_000_000},
    messages_per_minute=60,
)


class FakeBroadcasts:
    """Has one broadcast of account 1, and remembers what was done to it."""

    def __init__(self):
        self.deeds = []

    async def create(self, wish, request):
        """Make one."""
        self.deeds.append((wish, request))
        return STORED

    async def edit(self, broadcast_id, wish, request):
        """Change it."""
        self.deeds.append((broadcast_id, wish, request))
        return STORED

    async def move(self, account_id, broadcast_id, move):
        """Move it; only the one there is can be."""
        self.deeds.append((account_id, broadcast_id, move))
        if broadcast_id != 7:
            raise BrokerError(
                ErrorReason.BROADCAST_NOT_MOVABLE,
                "a broadcast that is DRAFT cannot be",
                metadata={"state": "DRAFT"},
            )
        return STORED

    async def get(self, account_id, broadcast_id):
        """The one there is."""
        if (account_id, broadcast_id) != (1, 7):
            raise BrokerError(ErrorReason.BROADCAST_NOT_FOUND)
        return STORED

    async def upstream_id(self, _broadcast):
        """Under one of its own."""
        return "up-1"

    async def refusals(self, _broadcast_id):
        """Two of one reason."""
        return [(Reason.INVALID_RECIPIENT, 2)]

    async def page(self, query):
        """The one there is."""
        self.deeds.append(query)
        return [STORED]


@pytest.fixture
def broadcasts():
    """Behind the service."""
    return FakeBroadcasts()


async def call(api, method, key="send-key", **fields):
    """The response, or a Refusal."""
    request, response = getattr(pb, f"{method}Request"), getattr(pb, f"{method}Response")
    return await api.call(f"BroadcastService/{method}", request(**fields), response, key=key)


async def broadcast(api, key="send-key", **fields):
    """The same for BrokerService.Broadcast."""
    request = broadcast_pb2.BroadcastRequest(**fields)
    return await api.call("BrokerService/Broadcast", request, broadcast_pb2.BroadcastResponse, key=key)


async def test_a_broadcast_asks_for_all_that_send_does_and_more(api, broadcasts):
    """Each field arrives; what was not said is promotional."""
    response = await broadcast(api, **WHOLE)
    assert SHOWN == response.broadcast
    ((wish, request),) = broadcasts.deeds
    assert ("spring", (5,), 60, True) == (wish.name, wish.group_ids, wish.messages_per_minute, wish.draft)
    asked = wish.submission
    assert (Traffic.PROMOTIONAL, "Shop", "ref", ("vip",)) == (
        asked.traffic,
        asked.sender,
        asked.client_reference,
        asked.tags,
    )
    assert wish == stored_wish(request, 1)


def test_what_a_broadcast_shares_with_send_is_read_as_there():
    """Every field that both have, so that none is dropped on the way."""
    names = set(broadcast_pb2.BroadcastRequest.DESCRIPTOR.fields_by_name)
    shared = names & set(send_pb2.SendRequest.DESCRIPTOR.fields_by_name)
    own = {"name", "audience", "messages_per_minute", "draft", "upstream_provider"}
    assert names - own == shared


def test_a_stored_wish_does_not_age():
    """A time that has passed, or is far ahead of an old clock, is no mistake when it begins."""
    request = broadcast_pb2.BroadcastRequest(**WHOLE)
    wish = wish_of(request, 1, NOW_US)
    assert wish == stored_wish(stored_request(request), 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"audience": {}}, "audience"),
        ({"audience": {"group_ids": ["?"]}}, "audience.group_ids[0]"),
        ({"audience": {"recipients": [{}]}}, "audience.recipients[0]"),
        ({"audience": {"recipients": [NUMBER] * 10_001}}, "audience.recipients"),
        ({"audience": {"group_ids": [format_id(1)] * 101}}, "audience.group_ids"),
        ({"name": "x" * 129}, "name"),
        ({"messages_per_minute": -1}, "messages_per_minute"),
        ({"messages_per_minute": 1_000_001}, "messages_per_minute"),
        ({"content": {}}, "content"),
        ({"upstream_provider": "a", "messages_per_minute": 1}, "messages_per_minute"),
        ({"upstream_provider": "a", "callback_url": "https://example.org"}, "callback_url"),
        ({"upstream_provider": "a", "provider": "b"}, "provider"),
        ({"upstream_provider": "a", "options": {"ignore_quiet_hours": False}}, "options"),
        (
            {
                "upstream_provider": "a",
                "audience": {"recipients": [NUMBER | {"schedule_time": {"seconds": 1}}]},
            },
            "audience.recipients[0].schedule_time",
        ),
    ],
)
async def test_each_rule_is_refused_with_its_field(api, broadcasts, changes, field):
    """And nothing is stored."""
    refusal = await broadcast(api, **(WHOLE | changes))
    assert grpc.StatusCode.INVALID_ARGUMENT is refusal.code
    assert field in {each.field for each in refusal.bad_request.field_violations}
    assert not broadcasts.deeds


async def test_ten_thousand_recipients_fit(api, broadcasts):
    """As many as are promised."""
    await broadcast(api, **(WHOLE | {"audience": {"recipients": [NUMBER] * 10_000}}))
    assert 10_000 == len(broadcasts.deeds[0][0].submission.recipients)


@pytest.mark.parametrize(("method", "move"), MOVES.items())
async def test_each_move_is_asked_for(api, broadcasts, method, move):
    """By a key that may send, of one broadcast."""
    response = await call(api, method, broadcast_id=format_id(7))
    assert SHOWN == response.broadcast
    assert [(1, 7, move)] == broadcasts.deeds
    assert grpc.StatusCode.PERMISSION_DENIED is (await call(api, method, key="read-key")).code


async def test_a_move_that_cannot_be_names_the_state(api):
    """In the message and for programs."""
    refusal = await call(api, "StartBroadcast", broadcast_id=format_id(8))
    assert grpc.StatusCode.FAILED_PRECONDITION is refusal.code
    assert "DRAFT" in refusal.message
    assert {"state": "DRAFT"} == dict(refusal.info.metadata)


async def test_a_broadcast_is_shown_with_its_refusals(api):
    """To a reader as well; one that there is not, or of a name that cannot be, is NOT_FOUND."""
    response = await call(api, "GetBroadcast", key="read-key", broadcast_id=format_id(7))
    expected = broadcast_pb2.Broadcast()
    expected.CopyFrom(SHOWN)
    expected.refusals.add(reason=1, recipients=2)
    expected.upstream_id = "up-1"
    assert expected == response.broadcast
    for number in (format_id(8), "?"):
        assert grpc.StatusCode.NOT_FOUND is (await call(api, "GetBroadcast", broadcast_id=number)).code


async def test_lists_go_on_with_a_token(api, broadcasts):
    """Of the same states only."""
    first = await call(api, "ListBroadcasts", states=[3], page_size=1)
    assert [SHOWN] == list(first.broadcasts)
    await call(api, "ListBroadcasts", states=[3], page_size=1, page_token=first.next_page_token)
    query = BroadcastQuery(1, frozenset({BroadcastState.RUNNING}), None, 1)
    assert [query, replace(query, before_id=7)] == broadcasts.deeds
    refusal = await call(api, "ListBroadcasts", states=[4], page_token=first.next_page_token)
    assert "page_token" == refusal.bad_request.field_violations[0].field
    refusal = await call(api, "ListBroadcasts", states=[99])
    assert "states[0]" == refusal.bad_request.field_violations[0].field


async def test_an_edit_has_the_rules_of_a_broadcast_within_its_request(api, broadcasts):
    """With their paths."""
    response = await call(api, "UpdateBroadcast", broadcast_id=format_id(7), request=WHOLE)
    assert (SHOWN, 7) == (response.broadcast, broadcasts.deeds[0][0])
    refusal = await call(api, "UpdateBroadcast", broadcast_id=format_id(7), request=WHOLE | {"audience": {}})
    assert "request.audience" == refusal.bad_request.field_violations[0].field


UPLOAD = Upload(9, 1, NOW_US, UploadState.USABLE, 3, 2, ("phone_number", "name"))
BAD = [RefusedRow(4, "is bad"), RefusedRow(6, "is bad")]


class FakeUploads:
    """Takes any file, and remembers it."""

    def __init__(self):
        self.files = []

    async def receive(self, account_id, wish, chunks):
        """Read it to its end."""
        self.files.append((account_id, wish, b"".join([chunk async for chunk in chunks])))
        return Received(UPLOAD, FileKind(FileFormat.CSV, "utf-8", ","), tuple(BAD))

    async def upload(self, account_id, upload_id):
        """The one there is."""
        if (account_id, upload_id) != (1, 9):
            raise BrokerError(ErrorReason.UPLOAD_NOT_FOUND)
        return UPLOAD

    async def refused(self, _upload_id, after, rows_max):
        """Two lines."""
        return [each for each in BAD if each.line > after][:rows_max]


@pytest.fixture
def uploads():
    """Behind the service."""
    return FakeUploads()


async def upload(api, *parts):
    """The response to a stream of requests, or the code and details it ends with."""
    call = api.channel.stream_unary(
        "/waypost.v1.BroadcastService/UploadAudience",
        request_serializer=pb.UploadAudienceRequest.SerializeToString,
        response_deserializer=pb.UploadAudienceResponse.FromString,
    )
    requests = [pb.UploadAudienceRequest(**part) for part in parts]
    try:
        return await call(iter(requests), metadata=[("authorization", "Bearer send-key")])
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details()


async def test_a_file_comes_in_chunks_after_what_it_is(api, uploads):
    """And the answer says how it was read, and what is wrong with it."""
    file = {"format": 1, "encoding": "cp1252", "delimiter": ";", "bad_lines": 2}
    response = await upload(api, {"file": file}, {"chunk": b"pho"}, {"chunk": b"ne"})
    assert [(1, FileWish(FileFormat.CSV, "cp1252", ";", keeps_good=True), b"phone")] == uploads.files
    assert response == pb.UploadAudienceResponse(
        upload_id=format_id(9),
        usable=True,
        rows=3,
        refused_rows=2,
        format=1,
        encoding="utf-8",
        delimiter=",",
        columns=["phone_number", "name"],
        refused=[{"line": 4, "problem": "is bad"}, {"line": 6, "problem": "is bad"}],
    )


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([], "file"),
        ([{"chunk": b"x"}], "file"),
        ([{"file": {}}, {"file": {}}], "chunk"),
        ([{"file": {}}, {"chunk": b"x" * 1_048_577}], "chunk"),
        ([{"file": {"format": 99}}], "file.format"),
        ([{"file": {"bad_lines": 99}}], "file.bad_lines"),
        ([{"file": {"delimiter": ";;"}}], "file.delimiter"),
        ([{"file": {"encoding": "x" * 33}}], "file.encoding"),
    ],
)
async def test_what_is_no_upload_is_refused_with_its_field(api, parts, field):
    """As INVALID_ARGUMENT."""
    code, details = await upload(api, *parts)
    assert grpc.StatusCode.INVALID_ARGUMENT is code
    assert details.startswith(f"{field}: ")


async def test_refused_lines_are_listed_page_by_page(api):
    """Of the account's own uploads."""
    first = await call(api, "ListRefusedRows", key="read-key", upload_id=format_id(9), page_size=1)
    assert [4] == [each.line for each in first.refused]
    token = first.next_page_token
    second = await call(api, "ListRefusedRows", upload_id=format_id(9), page_size=1, page_token=token)
    assert [6] == [each.line for each in second.refused]
    for number in (format_id(8), "?"):
        assert grpc.StatusCode.NOT_FOUND is (await call(api, "ListRefusedRows", upload_id=number)).code


async def test_a_broadcast_can_go_to_an_upload(api, broadcasts):
    """Alone, or with others."""
    await broadcast(api, **(WHOLE | {"audience": {"upload_id": format_id(9)}}))
    assert 9 == broadcasts.deeds[0][0].upload_id
    refusal = await broadcast(api, **(WHOLE | {"audience": {"upload_id": "?"}}))
    assert {"audience.upload_id"} == {each.field for each in refusal.bad_request.field_violations}


def test_a_frequency_cap_holds_for_groups_and_named_contacts():
    """What a broadcast does not say is promotional, so the cap fits it."""
    contact = {"contact_id": format_id(7)}
    audience = {"recipients": [contact], "group_ids": [format_id(5)]}
    request = broadcast_pb2.BroadcastRequest(
        **(WHOLE | {"audience": audience}), options={"cap_frequency": True}
    )
    submission = wish_of(request, 1, NOW_US).submission
    assert (True, Traffic.PROMOTIONAL) == (submission.cap_frequency, submission.traffic)


@pytest.mark.parametrize(
    "changes",
    [
        {"audience": {"recipients": [NUMBER]}},
        {"audience": {"upload_id": format_id(9)}},
        {"audience": {"group_ids": [format_id(5)]}, "traffic": 1},
    ],
    ids=["a bare address", "an upload", "other traffic"],
)
def test_a_frequency_cap_is_refused_where_it_cannot_count(changes):
    """With its field."""
    request = broadcast_pb2.BroadcastRequest(**(WHOLE | changes), options={"cap_frequency": True})
    with pytest.raises(BrokerError) as refusal:
        wish_of(request, 1, NOW_US)
    assert ["options.cap_frequency"] == [each.field for each in refusal.value.violations]


def test_a_broadcast_may_be_from_a_pool() -> None:
    """Instead of a sender, and by the rules of Send."""
    assert "shop" == wish_of(broadcast_pb2.BroadcastRequest(**FROM_A_POOL), 1, NOW_US).submission.sender_pool
    both = broadcast_pb2.BroadcastRequest(**WHOLE, sender_pool="shop")
    with pytest.raises(BrokerError) as refusal:
        wish_of(both, 1, NOW_US)
    assert ["sender_pool"] == [each.field for each in refusal.value.violations]
