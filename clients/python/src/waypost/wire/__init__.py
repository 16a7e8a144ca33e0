"""The only place where generated protobuf classes meet the client's own values."""
