"""What the secrets sidecar needs of the world."""
