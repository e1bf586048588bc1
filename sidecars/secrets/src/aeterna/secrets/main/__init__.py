"""The composition root of the secrets sidecar."""

from aeterna.secrets.main.composing import build
from aeterna.secrets.main.entry import main

__all__ = ["build", "main"]
