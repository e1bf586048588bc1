"""The composition root of the injector."""
