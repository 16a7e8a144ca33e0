"""The plugin's table in the broker's settings."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from waypost_zoomconnect.settings import ZoomConnectSettings

WHO = {"email": "me@example.org", "token": "t0ken"}


def test_credentials_are_all_that_is_needed():
    """Everything else has the likeliest default."""
    settings = ZoomConnectSettings(**WHO)
    assert ("send-bulk", "https://www.zoomconnect.com/app") == (settings.form, settings.base_url)


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ({}, "needs email and token"),
        ({"email": "me@example.org"}, "go together"),
        ({"token": "t"}, "go together"),
        ({**WHO, "form": "send-url"}, "needs url_token"),
        ({"form": "send-url", "url_token": "u", "receipts": "poll"}, "polling"),
        ({"form": "send-url", "url_token": "u", "replies": "poll"}, "polling"),
        ({**WHO, "form": "send", "messages_per_minute": 5}, "send-bulk only"),
        ({**WHO, "token": "a\nb"}, "printable"),
        ({**WHO, "email": "me@example.org\r\nX: y"}, "email"),
        ({**WHO, "time_zone": "Mars/Olympus"}, "IANA"),
        ({**WHO, "time_zone": "../etc"}, "IANA"),
        ({**WHO, "parameters": {"recipient": "to"}}, "recipientNumber"),
        ({**WHO, "parameters": {"message": "a b"}}, "parameters"),
        ({**WHO, "statuses": {"GONE": "lost"}}, "statuses"),
        ({**WHO, "base_url": "ftp://example.org"}, "base_url"),
        ({**WHO, "token_file": "/nowhere/token"}, "token_file, not both"),
        ({"email": "me@example.org", "token_file": "/nowhere/token"}, "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused(table, rule):
    """At start, and the message names the field or the rule."""
    with pytest.raises(ValidationError, match=re.escape(rule)):
        ZoomConnectSettings(**table)


def test_secrets_come_from_files_too(tmp_path):
    """Without the line break at their end."""
    (tmp_path / "token").write_text("from-a-file\n")
    settings = ZoomConnectSettings(email="me@example.org", token_file=tmp_path / "token")
    assert "from-a-file" == settings.token.get_secret_value()


def test_the_readme_lists_every_setting():
    """In the order of the model."""
    readme = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    table = readme.partition("## Settings")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)
    assert list(ZoomConnectSettings.model_fields) == named
