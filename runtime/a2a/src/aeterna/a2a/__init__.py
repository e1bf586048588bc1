"""The A2A server kit: an agent's author writes an executor, and its conversations survive every restart."""

from __future__ import annotations

from aeterna.a2a.main import application, serve
from aeterna.a2a.settings import AgentSettings
from aeterna.a2a.usecases.steps import Done, NotDone, steps

__all__ = ["AgentSettings", "Done", "NotDone", "application", "serve", "steps"]
