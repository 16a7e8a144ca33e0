"""Callers with connections of their own."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.acceptance.guarantees.caller import Client


class Connected:
    """Opens clients, and closes their connections at the end of the test."""

    def __init__(self) -> None:
        self._channels: list[grpc.Channel] = []

    def __call__(self, broker: Any, key: str = "") -> Client:
        """A client with a connection of its own; with the admin key if no other is given."""
        self._channels.append(grpc.insecure_channel(broker.address, [("grpc.use_local_subchannel_pool", 1)]))
        return Client(self._channels[-1], key or broker.key)

    def close(self) -> None:
        """Close all."""
        for channel in self._channels:
            channel.close()


@pytest.fixture
def connect() -> Iterator[Connected]:
    """Opens clients."""
    connected = Connected()
    yield connected
    connected.close()


@pytest.fixture
def client(broker: Any, connect: Connected) -> Client:
    """Of the session's broker."""
    return connect(broker)
