"""The HTTP side, on the same event loop as gRPC: health now, callbacks and metrics later."""
