"""Generated bindings of the providers that the platform needs."""
