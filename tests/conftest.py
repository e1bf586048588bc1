"""Collects the fixture files: one concern a file, named ``fixtures/fix_<concern>.py``."""

from __future__ import annotations

from pathlib import Path

pytest_plugins = sorted(f"fixtures.{path.stem}" for path in (Path(__file__).parent / "fixtures").glob("fix_*.py"))
