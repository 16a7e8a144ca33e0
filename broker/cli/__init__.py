"""The command line. `serve` runs a broker; every other command is a client of the same gRPC API as anyone's."""
