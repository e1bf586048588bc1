"""Records the addresses of the example stacks, after a change to them that was meant.

usage: python -P tests/synth/record_addresses.py

An address that goes away is somebody's resource: give it a ``moved`` (``move_from_id``) before recording.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aeterna.stacks.examples.environment import environment
from aeterna.stacks.examples.payments import Payments
from aeterna.synth import testing
from aeterna.synth.testing import synthesized

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

FOLDER = Path(__file__).parent / "addresses"


def examples() -> dict[str, Document]:
    """Return every example stack, by its id."""
    app = testing.app()
    stacks = (environment(app), Payments(app, "payments"))
    return {stack.node.id: synthesized(stack) for stack in stacks}


def main() -> None:
    """Write one file a stack."""
    FOLDER.mkdir(exist_ok=True)
    for name, document in examples().items():
        (FOLDER / f"{name}.json").write_text(json.dumps(document.addresses(), indent=1) + "\n")
        sys.stdout.write(f"{name}: {len(document.addresses())} addresses\n")


if __name__ == "__main__":
    main()
