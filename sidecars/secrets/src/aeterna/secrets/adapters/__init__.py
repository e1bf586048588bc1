"""What the secrets sidecar stands on."""
