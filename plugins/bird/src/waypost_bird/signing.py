"""Signatures of webhooks, as the vendor's public documents tell them; the channels document prints none."""

import hashlib
import hmac
from base64 import b64encode

TIMESTAMP_DIGITS_MAX = 12


def signature(key: bytes, timestamp: str, url: str, body: bytes) -> str:
    """HMAC-SHA256 over the time, the address as Bird knows it, and the bare SHA-256 of the body; in Base64."""
    signed = f"{timestamp}\n{url}\n".encode() + hashlib.sha256(body).digest()
    return b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def is_signed(key: bytes, given: str, timestamp: str, url: str, body: bytes) -> bool:
    """Whether the signature is right; compared in a time that does not depend on where it differs."""
    return hmac.compare_digest(signature(key, timestamp, url, body).encode(), given.encode())


def is_recent(timestamp: str, now_us: int, age_s_max: int) -> bool:
    """Whether a time in Unix seconds is at most so far from now. Bird repeats a webhook with its first time."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= TIMESTAMP_DIGITS_MAX):
        return False
    return abs(now_us / 1_000_000 - int(timestamp)) <= age_s_max
