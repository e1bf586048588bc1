"""A2A over JSON-RPC, REST and gRPC."""
