"""Signatures of webhooks, as the vendor's public documents have them."""

import json
from dataclasses import replace

import pytest

from broker.spi import CallbackRequest
from broker.testing.clock import NOW_US
from broker.testing.lending import CALLBACK_URL
from waypost_bird import BIRD
from waypost_bird.fake import example_settings
from waypost_bird.fake.example import CHANNEL, SIGNING_KEY
from waypost_bird.signing import signature

NOW_S = NOW_US // 1_000_000
BODY = json.dumps({
    "id": "96a0b5fa-a986-453d-be5c-3117f989f025",
    "channelId": str(CHANNEL),
    "direction": "outgoing",
    "status": "delivered",
}).encode()


def request(url=CALLBACK_URL, at_s=NOW_S, key=SIGNING_KEY, body=BODY, **changes):
    """A webhook that was signed for an address, at a time, with a key."""
    right = signature(key.encode(), str(at_s), url, body)
    headers = {"messagebird-request-timestamp": str(at_s), "messagebird-signature": right}
    return replace(CallbackRequest("POST", "", (), headers, body), **changes)


@pytest.mark.covers("webhook.signature")
def test_a_signature_is_made_as_the_vendor_shows_it():
    """Worked out apart from our code, with openssl: time, address and the bare digest of the body, a line each."""
    made = signature(b"key", "1719823259", "https://example.com/webhook", b'{"a":1}')
    assert "XlL961E7Bz6fmSJw1P4h4iTLJfy9KMYGAhNnfpKP9YM=" == made


@pytest.mark.covers("webhook.signature")
@pytest.mark.parametrize(
    ("settings", "asked", "status"),
    [
        ({}, request(), 200),
        ({}, request(url=f"{CALLBACK_URL}/a", path="a"), 200),
        ({}, request(url=f"{CALLBACK_URL}?b=c+d", query=(("b", "c d"),)), 200),
        ({"webhook_url": "https://front.example/bird"}, request(url="https://front.example/bird"), 200),
        ({"signing_key": None}, request(headers={}), 200),
        ({}, request(at_s=NOW_S - 86_400), 200),
        ({}, request(at_s=NOW_S - 86_401), 401),
        ({"signature_age_s_max": 60}, request(at_s=NOW_S + 61), 401),
        ({}, request(url="https://elsewhere.example"), 401),
        ({}, request(key="another"), 401),
        ({}, request(headers={}), 401),
        ({}, request(headers={**request().headers, "messagebird-request-timestamp": "soon"}), 401),
        ({}, request(headers={**request().headers, "messagebird-signature": "é"}), 401),
        (
            {"signature_header": "X-Signature", "timestamp_header": "X-Time"},
            request(
                headers={
                    "x-signature": request().headers["messagebird-signature"],
                    "x-time": str(NOW_S),
                }
            ),
            200,
        ),
    ],
)
async def test_only_what_bird_signed_not_long_ago_is_taken(running_provider, settings, asked, status):
    """For the address as Bird knows it."""
    async with running_provider(BIRD, example_settings("http://127.0.0.1:9") | settings) as bird:
        answer = await bird.callback(asked)
        assert (status, int(status == 200)) == (answer.status, len(answer.facts))


async def test_who_waits_for_receipts_without_an_address_is_warned(running_provider, lent):
    """The broker serves no HTTP, and nobody can report."""
    kind = BIRD.create(BIRD.settings.model_validate(example_settings("http://127.0.0.1:9")))
    await kind.start(lent.context("bird", callback_url=""))
    assert "bird.no_address_for_receipts" in lent.log.text
