"""What is signed, in every form that the settings can say."""

import base64
import hashlib
import hmac

import pytest
from pydantic import ValidationError

from waypost_ogangi.settings import OgangiSettings
from waypost_ogangi.signing import address, signature

PARAMETERS = (("instanceId", "1234"), ("broadcastId", "-1"))
POSTED = {"file": b"line"}


def settings(**changes):
    table = {
        "base_url": "https://ogangi.example",
        "instance_id": "1234",
        "public_key": "PUB",
        "private_key": "PRIV",
    }
    return OgangiSettings.model_validate({**table, **changes})


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.covers("send.signature")
@pytest.mark.parametrize(
    ("changes", "signed"),
    [
        ({}, "1234-1PUBlinePRIV"),
        ({"signature_form": "prefix"}, "PRIV1234-1PUBline"),
        ({"signature_form": "plain"}, "1234-1PUBline"),
        ({"signature_order": "name"}, "-1line1234PUBPRIV"),
        ({"signature_posted": False}, "1234-1PUBPRIV"),
        ({"signature_public_key": False}, "1234-1linePRIV"),
        ({"signature_separator": "|"}, "1234|-1|PUB|line|PRIV"),
    ],
    ids=str,
)
def test_all_parameters_are_signed_as_the_settings_say(changes, signed):
    """Over which bytes the hash goes, and in which order: broadcastId, file, instanceId, publicKey by name."""
    assert sha256(signed) == signature(settings(**changes), PARAMETERS, POSTED)


@pytest.mark.covers("send.signature")
def test_the_key_may_be_that_of_an_hmac():
    """It is no part of what is hashed then."""
    expected = hmac.new(b"PRIV", b"1234-1PUBline", "sha256").hexdigest()
    assert expected == signature(settings(signature_form="hmac"), PARAMETERS, POSTED)


@pytest.mark.covers("send.signature")
def test_a_signature_is_written_in_four_ways():
    """Hexadecimal in small or capital letters, Base64 for anything or for paths."""
    digest = hashlib.sha256(b"1234-1PUBlinePRIV").digest()
    written = {
        each: signature(settings(signature_encoding=each), PARAMETERS, POSTED)
        for each in ("hex", "hex_upper", "base64", "base64url")
    }
    assert {
        "hex": digest.hex(),
        "hex_upper": digest.hex().upper(),
        "base64": base64.b64encode(digest).decode(),
        "base64url": base64.urlsafe_b64encode(digest).decode(),
    } == written


@pytest.mark.covers("send.instanceId", "send.publicKey")
def test_parameters_stand_in_the_path_one_after_the_other():
    """Then the public key and the signature."""
    url = address(settings(), "getBroadcast", PARAMETERS, {})
    signed = sha256("1234-1PUBPRIV")
    assert f"https://ogangi.example/rest/api/getBroadcast/1234/-1/PUB/{signed}" == url


def test_no_value_becomes_a_step_of_its_own():
    """Slashes, dots, spaces and question marks of a value stay one step; an empty one is "null", and signed as that."""
    values = (("a", "x/../y?z=1#f"), ("b", ".."), ("c", ""), ("d", "17-12-2014 00:12"))
    url = address(settings(), "op", values, {})
    signed = sha256("x/../y?z=1#f..null17-12-2014 00:12PUBPRIV")
    path = "x%2F..%2Fy%3Fz%3D1%23f/%2E%2E/null/17-12-2014%2000%3A12"
    assert f"https://ogangi.example/rest/api/op/{path}/PUB/{signed}" == url


def test_the_key_may_lie_in_a_file(tmp_path):
    """Without the line end that editors put behind it."""
    file = tmp_path / "key"
    file.write_text("PRIV\n")
    found = settings(private_key=None, private_key_file=str(file))
    assert "PRIV" == found.key


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"private_key": None}, "give private_key or private_key_file, or signature_form"),
        ({"private_key_file": "/nowhere"}, "give private_key or private_key_file, not both"),
        ({"private_key": None, "private_key_file": "/nowhere"}, "cannot be read: FileNotFoundError"),
        ({"file_columns": ["recipient"]}, "must name recipient and text"),
        ({"file_columns": ["recipient", "text", "text"]}, "each column once"),
        ({"file_separator": '"'}, "must be neither a quote nor a line end"),
    ],
    ids=str,
)
def test_settings_that_cannot_work_stop_the_start(changes, rule):
    """With the rule that they break."""
    with pytest.raises(ValidationError, match=rule):
        settings(**changes)
