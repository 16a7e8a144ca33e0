"""Webhooks on the wire."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from broker.domain.callback import DisabledFor, Webhook
from broker.domain.ids import format_id
from broker.domain.lifecycle import Fact
from broker.domain.vocabulary import EventKind
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import account_service_pb2 as pb
from waypost.v1 import webhook_pb2

NOW_US = 1_790_000_000_000_000
URL = "https://shop.example/hook"
CALLS = {
    "CreateWebhook": (pb.CreateWebhookRequest, pb.CreateWebhookResponse, {"url": URL}),
    "ListWebhooks": (pb.ListWebhooksRequest, pb.ListWebhooksResponse, {}),
    "RotateWebhookSecret": (pb.RotateWebhookSecretRequest, pb.RotateWebhookSecretResponse, {}),
    "DeleteWebhook": (pb.DeleteWebhookRequest, pb.DeleteWebhookResponse, {"webhook_id": format_id(7)}),
}


async def call(api, method, key="admin-key", **fields):
    """The response, or a Refusal."""
    request, response, _ = CALLS[method]
    return await api.call(f"AccountService/{method}", request(**fields), response, key=key)


def stored(webhook_id=7, account_id=1, **changes):
    """A webhook of the account."""
    fields = {"url": URL, "description": "", "kinds": (), "facts": (), "created_at_us": NOW_US}
    return Webhook(webhook_id=webhook_id, account_id=account_id, **(fields | changes))


async def test_a_webhook_is_made_with_all_that_was_asked_for(api):
    """Each wish once; the secret is in the answer, and in no other."""
    response = await call(
        api, "CreateWebhook", url=URL, description="shop", kinds=[1, 2, 1], facts=[14, 15, 14]
    )
    (made,) = api.webhooks.webhooks
    assert ((EventKind.MESSAGE, EventKind.INBOUND), (Fact.DELIVERED, Fact.UNDELIVERED)) == (
        made.kinds,
        made.facts,
    )
    expected = webhook_pb2.Webhook(
        webhook_id=format_id(7),
        account_id=format_id(1),
        url=URL,
        description="shop",
        kinds=[1, 2],
        facts=[14, 15],
        state=1,
        create_time={"seconds": NOW_US // 1_000_000},
    )
    assert (expected, "whsec_c2VjcmV0") == (response.webhook, response.secret)
    listed = await call(api, "ListWebhooks")
    assert [expected] == list(listed.webhooks)
    assert b"whsec_" not in listed.SerializeToString()


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({}, "url"),
        ({"url": "nonsense"}, "url"),
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"url": "http://localhost:80/"}, "url"),
        ({"url": "http://[::1]/"}, "url"),
        ({"url": "https://example.org/{message_id}"}, "url"),
        ({"url": "https://user:secret@example.org/"}, "url"),
        ({"url": URL, "description": "x" * 257}, "description"),
        ({"url": URL, "description": "two\nlines"}, "description"),
        ({"url": URL, "kinds": [0]}, "kinds[0]"),
        ({"url": URL, "kinds": [1, 99]}, "kinds[1]"),
        ({"url": URL, "kinds": [1] * 7}, "kinds"),
        ({"url": URL, "facts": [0]}, "facts[0]"),
        ({"url": URL, "facts": [1] * (len(Fact) + 1)}, "facts"),
    ],
)
async def test_a_webhook_that_cannot_be_is_refused_with_its_field(api, fields, broken):
    """And nothing is made."""
    refusal = await call(api, "CreateWebhook", **fields)
    assert (grpc.StatusCode.INVALID_ARGUMENT, {broken}) == (refusal.code, refusal.violations.keys())
    assert [] == api.webhooks.webhooks


async def test_one_webhook_too_many_is_a_failed_precondition(api):
    """With what to do about it."""
    api.webhooks.failure = BrokerError(ErrorReason.TOO_MANY_WEBHOOKS)
    refusal = await call(api, "CreateWebhook", url=URL)
    assert (grpc.StatusCode.FAILED_PRECONDITION, "TOO_MANY_WEBHOOKS") == (refusal.code, refusal.reason)
    assert refusal.precondition is not None


async def test_pages_hold_every_webhook_once(api):
    """The last has no token."""
    api.webhooks.webhooks = [stored(number) for number in range(1, 6)]
    pages, token = [], ""
    while True:
        page = await call(api, "ListWebhooks", page_size=2, page_token=token)
        pages.append([each.webhook_id for each in page.webhooks])
        token = page.next_page_token
        if not token:
            break
    assert [[format_id(n) for n in page] for page in ([1, 2], [3, 4], [5])] == pages
    refusal = await call(api, "ListWebhooks", page_size=2_000, page_token="x")
    assert {"page_size", "page_token"} == refusal.violations.keys()


async def test_a_disabled_webhook_says_why_and_since_when(api):
    """With what it did not take."""
    api.webhooks.webhooks = [
        stored(disabled_at_us=NOW_US + 5, disabled_for=DisabledFor.GONE, waiting=3, failures=2)
    ]
    (listed,) = (await call(api, "ListWebhooks")).webhooks
    assert (2, 1, 5_000, 3, 2) == (
        listed.state,
        listed.disable_reason,
        listed.disable_time.nanos,
        listed.waiting,
        listed.failures,
    )


@pytest.mark.parametrize(
    ("fields", "secret", "overlap_s"),
    [
        ({"webhook_id": format_id(7)}, "whsec_7", 86_400),
        ({}, "whsec_0", 86_400),
        ({"overlap": Duration(seconds=0)}, "whsec_0", 0),
        ({"overlap": Duration(seconds=7 * 86_400)}, "whsec_0", 7 * 86_400),
    ],
)
async def test_a_rotation_shows_the_new_secret_and_how_long_the_old_one_signs(api, fields, secret, overlap_s):
    """Of a webhook, or without an id of the account's message callbacks."""
    api.webhooks.webhooks = [stored()]
    response = await call(api, "RotateWebhookSecret", **fields)
    assert [overlap_s * 1_000_000] == api.webhooks.overlaps_us
    assert (secret, NOW_US // 1_000_000 + overlap_s) == (
        response.secret,
        response.previous_expire_time.seconds,
    )


@pytest.mark.parametrize("overlap", [Duration(seconds=-1), Duration(seconds=7 * 86_400 + 1)])
async def test_an_overlap_out_of_bounds_is_refused(api, overlap):
    """With its field."""
    refusal = await call(api, "RotateWebhookSecret", overlap=overlap)
    assert {"overlap"} == refusal.violations.keys()


@pytest.mark.parametrize("method", ["RotateWebhookSecret", "DeleteWebhook"])
@pytest.mark.parametrize("webhook_id", [format_id(8), format_id(9), format_id(0), "nonsense", "x" * 13])
async def test_anothers_webhook_cannot_be_told_from_a_missing_one(api, method, webhook_id):
    """To the last byte."""
    api.webhooks.webhooks = [stored(8, account_id=2)]
    refusal = await call(api, method, webhook_id=webhook_id)
    missing = await call(api, method, webhook_id=format_id(5))
    assert missing == refusal
    assert (grpc.StatusCode.NOT_FOUND, "WEBHOOK_NOT_FOUND") == (refusal.code, refusal.reason)
    assert 1 == len(api.webhooks.webhooks)


async def test_a_webhook_is_deleted(api):
    """An empty id names none: it must not end anything."""
    api.webhooks.webhooks = [stored()]
    refusal = await call(api, "DeleteWebhook")
    assert "WEBHOOK_NOT_FOUND" == refusal.reason
    assert pb.DeleteWebhookResponse() == await call(api, "DeleteWebhook", webhook_id=format_id(7))
    assert [] == api.webhooks.webhooks


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("key", ["send-key", "read-key"])
async def test_only_administrators_and_partners_manage_webhooks(api, method, key):
    """A key that sends must not read along."""
    refusal = await call(api, method, key=key, **CALLS[method][2])
    assert (grpc.StatusCode.PERMISSION_DENIED, "ROLE_INSUFFICIENT") == (refusal.code, refusal.reason)


@pytest.mark.parametrize("method", CALLS)
async def test_an_administrator_manages_those_of_every_account(api, method):
    """That there is."""
    api.webhooks.webhooks = [stored(7, account_id=2)]
    response = await call(api, method, account_id=format_id(2), **CALLS[method][2])
    assert isinstance(response, CALLS[method][1])
    refusal = await call(api, method, account_id=format_id(3), **CALLS[method][2])
    assert "ACCOUNT_NOT_FOUND" == refusal.reason


@pytest.mark.parametrize("method", CALLS)
async def test_a_partner_manages_those_of_the_accounts_below_its_own(api, method):
    """And of its own; any other account is as good as none."""
    api.webhooks.webhooks = [stored(7, account_id=4)]
    request = {"account_id": format_id(4), **CALLS[method][2]}
    assert isinstance(await call(api, method, key="partner-key", **request), CALLS[method][1])
    for other in (2, 3):
        refusal = await call(api, method, key="partner-key", **(request | {"account_id": format_id(other)}))
        assert "ACCOUNT_NOT_FOUND" == refusal.reason
