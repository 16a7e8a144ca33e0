"""Groupcall Messenger as its document describes it, to develop and test against; it sends nothing.

`python -m waypost_groupcall.fake` runs it, `FakeGroupcall` is it without a socket, and `Server` puts one on a socket.
"""

from waypost_groupcall.fake.messenger import FakeGroupcall, Reply, Taken
from waypost_groupcall.fake.server import Server

__all__ = ["FakeGroupcall", "Reply", "Server", "Taken"]
