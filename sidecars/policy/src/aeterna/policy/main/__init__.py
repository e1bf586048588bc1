"""The composition root of the policy sidecar."""

from aeterna.policy.main.deciding import build
from aeterna.policy.main.entry import main

__all__ = ["build", "main"]
