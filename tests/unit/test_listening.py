"""Where the broker may listen: other hosts get TLS, or plain text that was asked for by name."""

from pathlib import Path
from typing import Any

import pytest

from broker.listening import check_listeners, split_address
from broker.settings import ServerSettings, SettingsError

TLS = {"tls_certificate": Path("c.pem"), "tls_key": Path("k.pem")}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"listen": "localhost:0", "http_listen": "127.9.9.9:0"},
        {"listen": "[::1]:0", "http_listen": "[::1]:0"},
        {"listen": "0.0.0.0:0", **TLS},
        {"listen": "0.0.0.0:0", "http_listen": "0.0.0.0:0", "allow_plaintext": True},
    ],
)
def test_loopback_tls_and_what_was_asked_for_are_served(settings: dict[str, Any]) -> None:
    """Nothing else reaches another host unencrypted."""
    check_listeners(ServerSettings(**settings))


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"listen": "0.0.0.0:0"}, "server.listen"),
        ({"listen": "broker.example:0"}, "server.listen"),
        ({"http_listen": "0.0.0.0:0"}, "server.http_listen"),
        ({"listen": "0.0.0.0:0", "http_listen": "0.0.0.0:0", **TLS}, "server.http_listen"),
        ({"tls_key": Path("k.pem")}, "server.tls_certificate"),
    ],
)
def test_plain_text_to_other_hosts_is_refused(settings: dict[str, Any], field: str) -> None:
    """HTTP speaks no TLS, whatever gRPC does; the message names the field."""
    with pytest.raises(SettingsError, match=field):
        check_listeners(ServerSettings(**settings))


@pytest.mark.parametrize(
    ("address", "expected"), [("127.0.0.1:7070", ("127.0.0.1", 7070)), ("[::1]:0", ("::1", 0))]
)
def test_an_address_is_a_host_and_a_port(address: str, expected: tuple[str, int]) -> None:
    """Brackets belong to the writing, not to the host."""
    assert expected == split_address(address)
