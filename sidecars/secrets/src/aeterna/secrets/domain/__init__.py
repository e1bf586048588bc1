"""What the secrets sidecar reasons about."""
