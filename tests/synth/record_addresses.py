"""Records the addresses of critical foundations, of platforms and of example stacks, after a change that was meant.

usage: python -P tests/synth/record_addresses.py

An address that goes away is somebody's resource: give it a ``moved`` (``move_from_id``) before recording.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TESTS = Path(__file__).resolve().parents[1]
FOLDER = Path(__file__).parent / "addresses"
"""One file a layer of each cloud's critical foundation, one a stack of the examples, and one a platform."""
PLATFORMS = ("gcp-critical", "gcp-opal")
"""Between them they have everything that a platform can have, as the same on every cloud."""


def addresses_in(stacks: Path) -> dict[str, list[str]]:
    """Return the addresses of each stack that was written below the folder, by the stack's id."""
    return {
        path.parent.name: sorted(addresses_of(json.loads(path.read_text())))
        for path in sorted(stacks.glob("stacks/*/cdk.tf.json"))
    }


def addresses_of(document: Mapping[str, Any]) -> Iterable[str]:
    """Yield the address of every resource and data source."""
    for block, prefix in (("resource", ""), ("data", "data.")):
        for kind, named in document.get(block, {}).items():
            yield from (f"{prefix}{kind}.{name}" for name in named)


def examples() -> dict[str, list[str]]:
    """Return the addresses of every example stack, as the app writes them."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "CDKTF_OUTDIR": folder}
        subprocess.run([sys.executable, "-P", "-m", "aeterna.stacks"], env=environment, check=True)
        return addresses_in(Path(folder))


def foundations() -> dict[str, list[str]]:
    """Return the addresses of every layer of every cloud's critical foundation, by both names."""
    sys.path.insert(0, str(TESTS))
    from aeterna.contracts.sizes import Size  # noqa: PLC0415 - starts node
    from fixtures.foundations import REGIONS, Case, synthesize  # noqa: PLC0415 - as above

    return {
        f"{cloud}-{layer}": list(document.addresses())
        for cloud in REGIONS
        for layer, document in synthesize(Case(cloud=cloud, size=Size.CRITICAL, replicas=2)).items()
    }


def platforms() -> dict[str, list[str]]:
    """Return the addresses of a platform of the largest size, and of one with OPAL."""
    sys.path.insert(0, str(TESTS))
    from fixtures.platform_documents import documents  # noqa: PLC0415 - starts node

    return {name: list(documents()[name].addresses()) for name in PLATFORMS}


def main() -> None:
    """Write every file anew."""
    for part, stacks in (("critical", foundations()), ("examples", examples()), ("platforms", platforms())):
        folder = FOLDER / part
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("*.json"):
            stale.unlink()
        for name, addresses in stacks.items():
            (folder / f"{name}.json").write_text(json.dumps(addresses, indent=1) + "\n")
            sys.stdout.write(f"{part}/{name}: {len(addresses)} addresses\n")


if __name__ == "__main__":
    main()
