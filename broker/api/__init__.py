"""The gRPC API: one file a service. Protobuf messages live only in here and never reach the rest of the broker."""
