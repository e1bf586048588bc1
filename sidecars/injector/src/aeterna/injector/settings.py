"""What the injector reads from its environment, ``AETERNA_INJECTOR_*``."""
