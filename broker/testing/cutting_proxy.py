"""A TCP proxy that cuts connections, on demand or at the very bytes that matter."""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65_536


class Cut(Enum):
    """What happens to a connection when a client sends certain bytes."""

    BEFORE = "they do not reach the server, and both sides see the connection go"
    GHOST = "they do not reach the server, which is told nothing: its side stays open"
    AFTER = "the server gets them and answers, and the client sees the connection go instead"


@dataclass(slots=True)
class _Pair:
    """One connection through the proxy. When the next answer is `swallowed`, the client is cut off instead."""

    client: socket.socket
    server: socket.socket
    swallowed: bool = False


class CuttingProxy:
    """Listens on `port` of this host and passes everything on to `target`, for as long as the block does."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._pairs: list[_Pair] = []
        self._ghosts: list[socket.socket] = []
        self._rule: tuple[bytes, Cut, bool] | None = None
        self.port: int = self._listener.getsockname()[1]
        self.refusing = False
        """Whether new connections are closed at once."""
        self.cuts = 0
        """How many connections a rule has cut."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.sever()
        for ghost in self._ghosts:
            _close(ghost)

    def cut_once(self, at: bytes, how: Cut, *, then_refuse: bool = False) -> None:
        """Cut the next connection whose client sends these bytes."""
        self._rule = (at, how, then_refuse)

    def sever(self) -> None:
        """Cut every connection that is open now."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _close(pair.client)
            _close(pair.server)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # the end of the block
                return
            if self.refusing:
                _close(client)
                continue
            pair = _Pair(client, socket.create_connection(("127.0.0.1", self._target)))
            with self._lock:
                self._pairs.append(pair)
            threading.Thread(target=self._ask, args=(pair,), daemon=True).start()
            threading.Thread(target=self._answer, args=(pair,), daemon=True).start()

    def _ask(self, pair: _Pair) -> None:
        while data := _receive(pair.client):
            rule = self._rule
            if rule is not None and rule[0] in data:
                self._rule = None
                self.refusing = self.refusing or rule[2]
                self.cuts += 1
                self._cut(pair, data, rule[1])
                if rule[1] is not Cut.AFTER:
                    return
                continue
            _send(pair.server, data)
        _close(pair.server)

    def _answer(self, pair: _Pair) -> None:
        while data := _receive(pair.server):
            if pair.swallowed:
                break
            _send(pair.client, data)
        _close(pair.client)

    def _cut(self, pair: _Pair, data: bytes, how: Cut) -> None:
        if how is Cut.AFTER:
            pair.swallowed = True
            _send(pair.server, data)
            return
        if how is Cut.GHOST:
            self._ghosts.append(pair.server)
        else:
            _close(pair.server)
        with self._lock:
            self._pairs.remove(pair)
        _close(pair.client)


def _receive(side: socket.socket) -> bytes:
    try:
        return side.recv(CHUNK_BYTES)
    except OSError:
        return b""


def _send(side: socket.socket, data: bytes) -> None:
    try:
        side.sendall(data)
    except OSError:
        _close(side)


def _close(side: socket.socket) -> None:
    """Close it also for the thread that reads from it."""
    with suppress(OSError):  # it may be gone already
        side.shutdown(socket.SHUT_RDWR)
    side.close()
