"""What the relay reads from its environment, ``AETERNA_RELAY_*``."""
