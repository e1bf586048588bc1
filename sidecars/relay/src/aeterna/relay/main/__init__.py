"""The composition root of the relay."""
