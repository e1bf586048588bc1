"""The composition root of the injector."""

from aeterna.injector.main.entry import build, main

__all__ = ["build", "main"]
