"""What the secrets sidecar answers over HTTP."""
