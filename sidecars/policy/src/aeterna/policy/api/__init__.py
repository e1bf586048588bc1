"""AuthZEN over raw ASGI."""
