"""Signatures of callbacks, by the Standard Webhooks scheme (standardwebhooks.com)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 - the scheme's mark, not a secret
SECRET_BYTES = 32


def secret_of(random_bytes: bytes) -> str:
    """A secret as its owner gets it: `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(random_bytes).decode()


def signed_headers(webhook_id: str, time_s: int, payload: bytes, secrets: Sequence[str]) -> Mapping[str, str]:
    """The headers that prove a callback: one signature for each secret that is good, newest first."""
    signed = f"{webhook_id}.{time_s}.".encode() + payload
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(time_s),
        "webhook-signature": " ".join(f"v1,{_mac(each, signed)}" for each in secrets),
    }


def _mac(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
