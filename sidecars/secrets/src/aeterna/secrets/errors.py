"""What the secrets sidecar refuses or cannot do."""
