"""Where a client connects to, and how it is secured."""

import grpc
import grpc.aio
import pytest

import waypost
from waypost.connection import is_loopback

SECRET = "wp_secret"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("127.0.0.1:7070", True),
        ("127.8.9.10:7070", True),
        ("[::1]:7070", True),
        ("localhost:7070", True),
        ("unix:/run/waypost.sock", True),
        ("192.0.2.1:7070", False),
        ("[2001:db8::1]:7070", False),
        ("localhost.example.org:7070", False),
        ("dns:///127.0.0.1:7070", False),
        ("broker", False),
    ],
)
def test_loopback_is_this_host_and_no_other(target, expected) -> None:
    """In doubt it is another host."""
    assert expected == is_loopback(target)


@pytest.mark.parametrize(
    ("target", "options", "expected"),
    [
        ("127.0.0.1:7070", {}, "insecure"),
        ("127.0.0.1:7070", {"plaintext": False}, "secure"),
        ("127.0.0.1:7070", {"credentials": grpc.ssl_channel_credentials()}, "secure"),
        ("broker.example.org:7070", {}, "secure"),
        ("broker.example.org:7070", {"plaintext": True}, "insecure"),
    ],
)
async def test_other_hosts_are_spoken_to_through_tls(monkeypatch, target, options, expected) -> None:
    """A key is not handed to whoever listens, unless that was asked for by name."""
    made = []
    for kind in ("secure", "insecure"):
        original = getattr(grpc.aio, f"{kind}_channel")

        def channel(*arguments, kind=kind, original=original, **named):
            made.append(kind)
            return original(*arguments, **named)

        monkeypatch.setattr(grpc.aio, f"{kind}_channel", channel)
    async with waypost.Client(target, key=SECRET, **options):
        assert [expected] == made


async def test_credentials_without_tls_contradict_each_other() -> None:
    """Neither is a safe guess."""
    with pytest.raises(ValueError, match="contradict"):
        waypost.Client("127.0.0.1:1", key=SECRET, plaintext=True, credentials=grpc.ssl_channel_credentials())


@pytest.mark.parametrize("key", ["", " \n", "wp_\nsecret", "wp_sécret"])
async def test_a_key_that_cannot_be_one_is_refused_without_showing_it(key) -> None:
    """They would be refused with a riddle, or sent."""
    with pytest.raises(ValueError, match="the key") as raised:
        waypost.Client("127.0.0.1:1", key=key)
    assert "secr" not in str(raised.value)


async def test_a_client_does_not_show_its_key() -> None:
    """In a log or a traceback."""
    async with waypost.Client("127.0.0.1:1", key=SECRET) as client:
        assert "<waypost.Client of 127.0.0.1:1>" == repr(client)


def test_a_client_is_made_within_an_event_loop() -> None:
    """It would belong to another one otherwise."""
    with pytest.raises(RuntimeError, match="no running event loop"):
        waypost.Client("127.0.0.1:1", key=SECRET)
