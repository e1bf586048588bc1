"""Tells what constructs have to say once everything is written: only the CDK's own command line shows it otherwise."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

ERROR: Final = "@cdktf/error"
WARNING: Final = "@cdktf/warn"

logger = logging.getLogger(__name__)


def tell(outdir: Path) -> None:
    """Log each warning in the manifest of an output folder, and each error in spite of which it was written.

    The engine goes on after errors where ``CDKTF_CONTINUE_SYNTH_ON_ERROR_ANNOTATIONS`` is set. Where nobody has set up
    logging, Python writes both to stderr.
    """
    for stack in json.loads((outdir / "manifest.json").read_text())["stacks"].values():
        for said in stack["annotations"]:
            if said["level"] == ERROR:
                logger.error("error, and written all the same: [%s] %s", said["constructPath"], said["message"])
            elif said["level"] == WARNING:
                logger.warning("warning: [%s] %s", said["constructPath"], said["message"])
