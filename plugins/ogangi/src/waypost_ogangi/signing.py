"""A call's address: its parameters in the path, one after the other, and the signature over all of them."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from waypost_ogangi.settings import OgangiSettings

ABSENT = "null"
"""What stands for a parameter that has no value: a path cannot leave one out."""

Parameters = Sequence[tuple[str, str]]
"""Names and values, in the order of the path."""


def signature(settings: OgangiSettings, parameters: Parameters, posted: Mapping[str, bytes]) -> str:
    """SHA-256 over the parameters of a call, and over what is posted with it, as the settings say."""
    key = settings.key.encode()
    signed = [(name, value.encode()) for name, value in parameters]
    if settings.signature_public_key:
        signed.append(("publicKey", settings.public_key.get_secret_value().encode()))
    if settings.signature_posted:
        signed += posted.items()
    if settings.signature_order == "name":
        signed.sort(key=lambda each: each[0])
    parts = [value for _, value in signed]
    separator = settings.signature_separator.encode()
    if settings.signature_form == "hmac":
        return encoded(settings, hmac.digest(key, separator.join(parts), "sha256"))
    if settings.signature_form == "suffix":
        parts.append(key)
    elif settings.signature_form == "prefix":
        parts.insert(0, key)
    return encoded(settings, hashlib.sha256(separator.join(parts)).digest())


def encoded(settings: OgangiSettings, digest: bytes) -> str:
    """A signature as it stands in the path."""
    match settings.signature_encoding:
        case "hex":
            return digest.hex()
        case "hex_upper":
            return digest.hex().upper()
        case "base64":
            return base64.b64encode(digest).decode()
        case "base64url":
            return base64.urlsafe_b64encode(digest).decode()


def address(
    settings: OgangiSettings, operation: str, parameters: Parameters, posted: Mapping[str, bytes]
) -> str:
    """The whole URL of a call, each value escaped: a slash in a name must not become a step of the path."""
    values = [value or ABSENT for _, value in parameters]
    given = [(name, value) for (name, _), value in zip(parameters, values, strict=True)]
    steps = [*values, settings.public_key.get_secret_value(), signature(settings, given, posted)]
    path = "/".join(_step(each) for each in steps)
    return f"{settings.base_url.rstrip('/')}/rest/api/{operation}/{path}"


def _step(value: str) -> str:
    """One step of a path. Steps of dots alone would be taken for "here" and "one up"."""
    return quote(value, safe="") if value.strip(".") else value.replace(".", "%2E")
