"""Stubs generated from protos/waypost/v1 by `make protos`; import the modules, as `send_pb2`."""
