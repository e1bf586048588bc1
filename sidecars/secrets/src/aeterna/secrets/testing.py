"""Fakes of the ports of the secrets sidecar."""
