"""Documents are part of the product: their links lead somewhere and their paths exist."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
PATH = re.compile(r"`((?:constructs|stacks|runtime|sidecars|tests|docs|\.make|\.ci)/[\w./-]+)`")


def documents() -> list[Path]:
    """Return every Markdown file that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split()]


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    links: list[str] = LINK.findall(document.read_text("utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_in_the_text_exists(document: Path) -> None:
    paths: list[str] = PATH.findall(document.read_text("utf-8"))

    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_adr_numbers_are_unique() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")]

    assert len(numbers) == len(set(numbers))
