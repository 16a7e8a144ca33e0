"""Group Texting as its document describes it: what it takes, what it refuses and with which number, and what it calls.

`Service` is the memory and the rules, without any I/O: an operation and its fields in, a number out. `serve` puts it
on a socket. `python -m waypost_grouptexting.fake` starts one to develop against.
"""

from waypost_grouptexting.fake.server import FakeServer, serve
from waypost_grouptexting.fake.service import Forward, Keyword, Service, Texted

__all__ = ["FakeServer", "Forward", "Keyword", "Service", "Texted", "serve"]
