"""The composition root of the secrets sidecar."""
