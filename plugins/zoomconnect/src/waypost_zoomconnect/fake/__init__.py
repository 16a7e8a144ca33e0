"""ZoomConnect as its guide describes it, to develop and test against: `python -m waypost_zoomconnect.fake`.

    fake = FakeZoomConnect(email="me@example.org", token="t0ken", url_token="url-t0ken")
    status, headers, body = fake("POST", "/api/rest/v1/sms/send", headers, body)

It is a function of a request, which any server can serve; `fake.deliver()` lets time pass for its messages.
"""

from waypost_zoomconnect.fake.server import FakeZoomConnect

__all__ = ["FakeZoomConnect"]
