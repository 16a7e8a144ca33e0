"""A fake upstream: a real HTTP server on a loopback port, with faults on demand.

    with Upstream(answer) as upstream:
        upstream.fail(ResetAfterBody())        # the next request only
        ...                                    # point the provider at upstream.url
        assert len(upstream.requests) == 1     # what arrived whole

`answer` is a function of a `Request` to an `Answer`: the upstream as its documents describe it. The
server runs in a thread with an event loop of its own, so that what it does never hides in the loop under
test, and a provider that blocks its loop is seen to block it.
"""

from broker.testing.upstream.exchange import Answer, Handler, Request
from broker.testing.upstream.faults import (
    CloseAfterBody,
    Drip,
    Echo,
    Endless,
    Fault,
    Hang,
    Hold,
    Late,
    NotHttp,
    ResetAfterBody,
    ResetMidBody,
    ResetOnAccept,
    Say,
    Truncated,
)
from broker.testing.upstream.server import Upstream

__all__ = [
    "Answer",
    "CloseAfterBody",
    "Drip",
    "Echo",
    "Endless",
    "Fault",
    "Handler",
    "Hang",
    "Hold",
    "Late",
    "NotHttp",
    "Request",
    "ResetAfterBody",
    "ResetMidBody",
    "ResetOnAccept",
    "Say",
    "Truncated",
    "Upstream",
]
