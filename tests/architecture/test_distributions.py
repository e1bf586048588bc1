"""A distribution declares the members that it imports, no more and no fewer, so that it installs alone."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from fixtures.workspace import ROOT, members, modules

if TYPE_CHECKING:
    from pathlib import Path

# Loaded by name and never imported: the stacks app finds clouds by their entry points.
BY_ENTRY_POINT = {"aeterna.stacks": {"aeterna-aws", "aeterna-gcp", "aeterna-azure"}}


def declared(member: Path) -> set[str]:
    """Return the members that a distribution's metadata names."""
    project = tomllib.loads((member / "pyproject.toml").read_text("utf-8"))["project"]
    return {
        name for text in project["dependencies"] if (name := re.split(r"[\s<>=\[;]", text)[0]).startswith("aeterna-")
    }


@pytest.mark.parametrize("member", members(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_distribution_declares_the_members_it_imports(member: Path) -> None:
    package = f"aeterna.{member.name}"
    imported = {
        "aeterna-" + name.split(".")[1]
        for module in modules()
        if module.package == package
        for name in module.imported()
        if name.startswith("aeterna.") and not f"{name}.".startswith(f"{package}.")
    }

    assert declared(member) - BY_ENTRY_POINT.get(package, set()) == imported - BY_ENTRY_POINT.get(package, set())
