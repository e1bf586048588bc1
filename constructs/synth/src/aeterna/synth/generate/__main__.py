"""Writes the bindings of one provider: ``python -m aeterna.synth.generate SCHEMA FOLDER PACKAGE``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aeterna.synth.generate.render import render
from aeterna.synth.generate.schema import read


def main(arguments: list[str] | None = None) -> int:
    """Write every module of the package, and remove modules of types that the schema has no more."""
    parser = argparse.ArgumentParser(prog="python -m aeterna.synth.generate", description=__doc__)
    parser.add_argument("schema", type=Path, help="the provider's schema, as constructs/CLOUD/schema/PROVIDER.json")
    parser.add_argument("folder", type=Path, help="where the package is, as constructs/CLOUD/src/aeterna/CLOUD/l1")
    parser.add_argument("package", help="the package's import name, as aeterna.CLOUD.l1")
    chosen = parser.parse_args(arguments)
    modules = render(read(chosen.schema), chosen.package)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in chosen.folder.glob("*.py")} - modules.keys():
        (chosen.folder / stale).unlink()
    for name, text in modules.items():
        (chosen.folder / name).write_text(text)
    sys.stderr.write(f"wrote {len(modules)} modules to {chosen.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
