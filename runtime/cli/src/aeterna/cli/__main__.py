"""`python -P -m aeterna.cli` is the `aeterna` command."""

from __future__ import annotations

from aeterna.cli.main import main

if __name__ == "__main__":
    main()
