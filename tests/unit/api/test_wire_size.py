"""Requests that are larger than the server takes."""

import grpc


async def test_a_request_over_the_limit_is_refused_by_core(api):
    """Before a byte of it is parsed; 16 MiB leaves room for attachments."""
    refusal = await api.call("BrokerService/Send", b"\x0a" * (16 * 1024 * 1024 + 1))
    assert grpc.StatusCode.RESOURCE_EXHAUSTED is refusal.code
