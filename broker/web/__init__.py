"""The HTTP side, on the same event loop as gRPC: health, metrics, and the callbacks of upstreams."""
