"""Ogangi as its document describes it, on a socket: to develop and to test against.

`FakeOgangi` is a function of a `Request` to an `Answer`, for `broker.testing.upstream`; `python -m waypost_ogangi.fake`
runs one.
"""

from waypost_ogangi.fake.service import FakeOgangi, SentMessage

__all__ = ["FakeOgangi", "SentMessage"]
