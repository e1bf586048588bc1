"""What the secrets sidecar does."""
