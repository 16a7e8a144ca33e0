"""Signatures are those of the Standard Webhooks scheme: its own library takes them."""

import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from broker.domain.signature import secret_of, signed_headers

OLD, NEW, OTHER = (secret_of(bytes([number]) * 32) for number in (1, 2, 3))
BODY = '{"type":"message.delivered","ä":"ö"}'.encode()


def headers(*secrets: str) -> dict[str, str]:
    """What goes with the body now."""
    return dict(signed_headers("evt_1", int(time.time()), BODY, secrets))


def test_the_schemes_own_library_takes_a_signature() -> None:
    """With the secret as its owner got it."""
    assert {"type": "message.delivered", "ä": "ö"} == Webhook(NEW).verify(BODY, headers(NEW))


def test_both_secrets_are_good_while_they_overlap() -> None:
    """One signature for each."""
    for secret in (OLD, NEW):
        Webhook(secret).verify(BODY, headers(NEW, OLD))
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(BODY, headers(NEW, OLD))


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body"])
def test_nothing_of_it_can_be_changed(changed: str) -> None:
    """The id, the time and the body are signed together."""
    given = headers(NEW)
    body = BODY
    if changed == "body":
        body = BODY + b" "
    elif changed == "webhook-id":
        given["webhook-id"] = "evt_2"
    else:
        given["webhook-timestamp"] = str(int(given["webhook-timestamp"]) - 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body, given)
