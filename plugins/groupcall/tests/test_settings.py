"""Groupcall's table in the broker's settings."""

import pytest
from pydantic import ValidationError

from broker.spi import Channel, ReceiptMode
from waypost_groupcall.provider import Groupcall
from waypost_groupcall.settings import GroupcallSettings
from waypost_groupcall.words import Endpoint


@pytest.mark.covers("host.testing", "host.transmission")
def test_the_test_host_is_a_setting(customer):
    """What it takes reaches nobody, until Groupcall has enabled it."""
    assert "https://m5api.groupcall.com" == customer().base_url
    settings = customer(testing=True)
    assert "https://apitesting.groupcall.com" == settings.base_url
    assert settings.url_of(Endpoint.SMS).startswith("https://apitesting.groupcall.com/")
    assert Groupcall(settings).capabilities.sandbox
    assert not Groupcall(customer(testing=True, testing_transmits=True)).capabilities.sandbox
    assert not Groupcall(customer()).capabilities.sandbox


def test_paths_are_settings(customer):
    """The document prints none."""
    settings = customer(url="https://proxy.example/base/", paths={"usage": "/v9/Usage"})
    assert "https://proxy.example/base/v9/Usage" == settings.url_of(Endpoint.USAGE)


@pytest.mark.covers("auth.Password", "auth.PartnerKey")
def test_secrets_may_stand_in_files(tmp_path):
    """Read at start, without the line's end."""
    (tmp_path / "password").write_text("from-a-file\n")
    (tmp_path / "key").write_text("partner-from-a-file\n")
    files = {"password_file": str(tmp_path / "password"), "partner_key_file": str(tmp_path / "key")}
    customers = {"ACC1": {"customer_id": "7", "password_file": str(tmp_path / "password")}}
    settings = GroupcallSettings(customer_id="1", **files, customers=customers)
    assert ("from-a-file", "partner-from-a-file", "from-a-file") == settings.secrets


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"password": ""}, "a customer has"),
        ({"user_name": ""}, "a customer has"),
        ({"customers": {"A": {"customer_id": "1"}}}, "customers goes with partner_key"),
        ({"partner_key": "k", "customer_id": ""}, "a partner sends for a customer"),
        ({"partner_key": "k", "password": "", "short_code": "12345"}, "short_code needs"),
        ({"testing": True, "url": "https://a.example"}, "set url or testing"),
        ({"testing_transmits": True}, "goes with testing"),
        ({"callback_extra": {"id": "7"}, "callback_parameters": "all"}, "an address with parameters"),
        ({"names": {"nothing": "x"}}, "'nothing' is none of"),
        ({"callback_names": {"recipients": "x"}}, "'recipients' is none of"),
        ({"channels": ["mms"]}, "a channel is one of"),
        ({"password_file": "/nowhere"}, "give password or password_file"),
        ({"sms_sender": "ab"}, "should match pattern"),
    ],
)
def test_what_does_not_go_together_is_refused(customer_table, changes, why):
    """At start, and in words."""
    with pytest.raises(ValidationError, match=why):
        GroupcallSettings(**customer_table(**changes))


def test_a_file_that_is_not_there_is_refused(customer_table):
    """By the kind of the failure alone."""
    table = customer_table(password_file="/nowhere/at/all")
    del table["password"]
    with pytest.raises(ValidationError, match="password_file cannot be read: FileNotFoundError"):
        GroupcallSettings(**table)


def test_capabilities_follow_the_settings(customer, partner):
    """What cannot be done is not offered."""
    full = Groupcall(customer(short_code="12345")).capabilities
    assert (True, True, True, ReceiptMode.PUSH) == (full.opt_in, full.usage, full.callback, full.receipts)
    bare = Groupcall(partner(receipts="none", channels=["sms"])).capabilities
    assert (False, False, False, ReceiptMode.NONE) == (bare.opt_in, bare.usage, bare.callback, bare.receipts)
    assert (frozenset({Channel.SMS}), frozenset({"sms.text"})) == (bare.channels, bare.content)
