"""What the secrets sidecar reads from its environment, ``AETERNA_SECRETS_*``."""
