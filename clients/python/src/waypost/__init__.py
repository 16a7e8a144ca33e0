"""Python client of the Waypost messaging broker; `waypost.v1` holds the generated gRPC stubs."""
