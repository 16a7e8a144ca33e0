"""The table of an instance: what it takes, and that its page lists it."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from broker.spi import Channel, ReceiptMode
from waypost_bird.fake.example import ACCESS_KEY
from waypost_bird.provider import Bird
from waypost_bird.settings import BirdSettings


def test_the_readme_lists_every_setting():
    """In the order of the model."""
    readme = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    listed = readme.partition("## Settings")[2].partition("\n## ")[0]
    assert list(BirdSettings.model_fields) == re.findall(r"^\| `(\w+)` \|", listed, re.MULTILINE)


@pytest.mark.covers("send.authorization")
@pytest.mark.parametrize("word", ["AccessKey", "Bearer"])
def test_the_word_before_the_key_is_a_setting(settings, word):
    """The document's sample has one, its prose the other."""
    assert f"{word} {ACCESS_KEY}" == settings(authorization=word).credentials


def test_keys_may_stand_in_files(settings, tmp_path):
    """Read once, without the line's end."""
    files = {name: tmp_path / name for name in ("access_key", "signing_key")}
    for name, file in files.items():
        file.write_text(f"secret-of-{name}\n")
    changes = {f"{name}_file": str(file) for name, file in files.items()}
    built = settings(access_key=None, signing_key=None, **changes)
    assert ("AccessKey secret-of-access_key", b"secret-of-signing_key") == (
        built.credentials,
        built.webhook_key,
    )
    assert "secret-of" not in repr(built)


@pytest.mark.parametrize(
    "changes",
    [
        {"access_key": None},
        {"access_key": "", "signing_key": None},
        {"access_key": "kéy"},
        {"access_key_file": "/nowhere/at/all"},
        {"access_key": None, "access_key_file": "/nowhere/at/all"},
        {"signing_key": "", "access_key": "x"},
        {"workspace_id": "acme"},
        {"url": "https://api.bird.example/"},
        {"url": "ftp://api.bird.example"},
        {"authorization": "Basic"},
        {"timeout_s": 0},
        {"timeout_s": 61},
        {"receipts": "poll"},
        {"quiet_hours": "both"},
        {"senders": {"+15005550006": "acme"}},
        {"templates": {"shop/bill": {}}},
        {"templates": {"shop/bill": {"project_id": "acme"}}},
        {"signature_age_s_max": 0},
        {"webhook_url": "https://waypost.example/x?y=z"},
    ],
)
def test_what_makes_no_sense_is_refused(settings, changes):
    """At the start, and without showing a key."""
    with pytest.raises(ValidationError) as refused:
        settings(**changes)
    told = "\n".join(f"{each['loc']} {each['msg']}" for each in refused.value.errors(include_input=False))
    assert ACCESS_KEY not in told


@pytest.mark.covers("mms.capable")
def test_an_instance_does_mms_where_a_channel_can(settings):
    """`ListProviders` tells it; and messages that need more are never routed here."""
    both = Bird(settings()).capabilities
    assert (frozenset({Channel.SMS, Channel.MMS}), ReceiptMode.PUSH) == (both.channels, both.receipts)
    texts = Bird(settings(mms_channel_ids=[], receipts="none")).capabilities
    assert (frozenset({Channel.SMS}), ReceiptMode.NONE) == (texts.channels, texts.receipts)
    assert frozenset({"sms.text", "sms.subject", "sms.link_actions"}) == texts.content
