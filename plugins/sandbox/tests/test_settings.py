"""The sandbox's table in the broker's settings."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from broker.spi import Channel, ReceiptMode
from waypost_sandbox.outcomes import Profile
from waypost_sandbox.provider import Sandbox
from waypost_sandbox.settings import SandboxSettings


def test_an_empty_table_is_a_fast_sandbox_for_every_channel():
    """Nothing has to be set, and nothing fails by chance."""
    settings = SandboxSettings()
    assert settings.channels == frozenset(Channel)
    assert Profile(receipt_delay_s=0.05) == settings.profile()


def test_every_option_reaches_the_profile_or_the_capabilities():
    """None is dropped silently."""
    settings = SandboxSettings(
        channels=["sms", "email"],
        latency_s=0.1,
        jitter_s=0.2,
        failure_rate=0.3,
        receipts="poll",
        receipt_delay_s=0.4,
        seed=5,
        phone=True,
        batch_max=6,
        reports_waiting_max=7,
    )
    expected = Profile(
        latency_s=0.1,
        jitter_s=0.2,
        failure_rate=0.3,
        receipt_delay_s=0.4,
        seed=5,
        receipts=ReceiptMode.POLL,
    )
    assert expected == settings.profile()
    capabilities = Sandbox(settings).capabilities
    assert frozenset({Channel.SMS, Channel.EMAIL}) == capabilities.channels
    assert (ReceiptMode.POLL, 6, True) == (
        capabilities.receipts,
        capabilities.batch_max,
        capabilities.callback,
    )
    assert len(SandboxSettings.model_fields) == len(settings.model_fields_set)


def test_the_readme_lists_every_option():
    """In the order of the model."""
    readme = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    settings = readme.partition("## Settings")[2].partition("## ")[0]
    assert list(SandboxSettings.model_fields) == re.findall(r"^\| `(\w+)` \|", settings, re.MULTILINE)


@pytest.mark.parametrize("mode", ["push", "poll", "none"])
def test_receipt_modes_go_by_their_names(mode):
    """As the contract calls them, in lower case."""
    assert ReceiptMode[mode.upper()] is Sandbox(SandboxSettings(receipts=mode)).capabilities.receipts


@pytest.mark.parametrize("written", ["sms", "SMS", "in_app", Channel.PUSH])
def test_channels_go_by_their_names(written):
    """In either case."""
    assert len(SandboxSettings(channels=[written]).channels) == 1


@pytest.mark.parametrize(
    "table",
    [
        {"latncy_s": 1},
        {"channels": []},
        {"channels": ["fax"]},
        {"channels": [1]},
        {"latency_s": -0.1},
        {"jitter_s": -0.1},
        {"jitter_s": "inf"},
        {"failure_rate": -0.1},
        {"failure_rate": 1.1},
        {"failure_rate": "nan"},
        {"receipts": "fax"},
        {"receipt_delay_s": -1},
        {"seed": "x"},
        {"batch_max": 0},
        {"reports_waiting_max": 0},
    ],
)
def test_what_makes_no_sense_is_refused(table):
    """At start, with the key's name."""
    with pytest.raises(ValidationError, match=next(iter(table))):
        SandboxSettings(**table)


def test_settings_do_not_change_after_the_start():
    """An instance's capabilities are constant."""
    with pytest.raises(ValidationError, match="frozen"):
        SandboxSettings().seed = 1


def test_a_channel_that_is_not_one_is_told_which_ones_are():
    """The person who wrote it can mend it."""
    with pytest.raises(ValidationError, match="sms, mms, email, push, in_app"):
        SandboxSettings(channels=["fax"])
