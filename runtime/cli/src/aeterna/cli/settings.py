"""What the command is told by its environment; the only place that reads it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATE_DIR = "AETERNA_STATE_DIR"
NO_COLOR = "NO_COLOR"
"""Any text in it switches colours off: https://no-color.org."""
MARKS = ("cdktf.json", "requirements.lock")
"""What the root of a checkout holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSettings:
    """Where the project is, where its runtime keeps its state, and the environment that children start from."""

    project: Path
    state_dir: Path
    environment: Mapping[str, str]

    @classmethod
    def read(cls, state_dir: Path | None) -> CommandSettings:
        """Return the settings; an option goes before the environment, and that before the project's own folder."""
        environment = dict(os.environ)
        project = _project(Path(sys.prefix), Path.cwd())
        told = environment.get(STATE_DIR)
        chosen = state_dir or (Path(told) if told else project / ".aeterna")
        return cls(project=project, state_dir=chosen.expanduser().absolute(), environment=environment)


def color() -> bool | None:
    """Return False where colours are unwanted, and None where the stream decides: a terminal has them."""
    return False if os.environ.get(NO_COLOR) else None


def command() -> str:
    """Return how a shell calls this command: by its name where the PATH has it, or else by its whole path."""
    return "aeterna" if shutil.which("aeterna") else shlex.quote(str(Path(sys.prefix, "bin", "aeterna")))


def _project(environment: Path, here: Path) -> Path:
    """Return the checkout that the command's own virtual environment belongs to, or else the current folder."""
    above = environment.parent
    return above if any((above / mark).exists() for mark in MARKS) else here
