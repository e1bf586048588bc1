"""What is injected may be replaced under the running injector, and a bad document replaces nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from aeterna.injector.adapters.definition_files import DefinitionFiles
from aeterna.injector.errors import DefinitionUnreadableError
from fixtures.pods_for_injection import INSTALLATION, WORKLOADS, installation

if TYPE_CHECKING:
    from pathlib import Path


class Files:
    """The two files, and a clock, in a test's hands."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.installation = folder / "installation.json"
        self.workloads = folder / "workloads.json"
        self.write(self.installation, INSTALLATION.document())
        self.write(self.workloads, WORKLOADS.document())

    def opened(self) -> DefinitionFiles:
        """Return what reads them."""
        return DefinitionFiles(installation=self.installation, workloads=self.workloads, steady=lambda: self.now)

    def write(self, file: Path, text: str) -> None:
        """Replace a file as a mounted ConfigMap is replaced: another one takes its name."""
        new = file.with_suffix(".new")
        new.write_text(text)
        os.replace(new, file)  # noqa: PTH105 - what is done, by its name

    def later(self) -> None:
        """Let a second pass."""
        self.now += 1.0


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Return good files."""
    return Files(tmp_path)


def test_both_documents_are_read(files: Files) -> None:
    current = files.opened().current()

    assert (current.installation, current.workloads) == (INSTALLATION, WORKLOADS)


def test_it_is_the_same_object_while_nothing_changes(files: Files) -> None:
    """The parts of pods are computed once for each definition."""
    definitions = files.opened()
    before = definitions.current()
    files.later()

    assert definitions.current() is before


def test_a_new_document_is_in_force_after_a_second(files: Files) -> None:
    definitions = files.opened()
    files.write(files.installation, installation(version="2.0.0").document())
    files.later()

    assert definitions.current().installation.version == "2.0.0"


def test_the_files_are_not_looked_at_for_each_pod(files: Files) -> None:
    definitions = files.opened()
    files.write(files.installation, installation(version="2.0.0").document())

    assert definitions.current().installation.version == "1.4.0"


@pytest.mark.parametrize("text", ["", "{}", "\x00", "[" * 100_000], ids=["none", "empty", "no text", "deep"])
def test_a_bad_document_replaces_nothing_and_is_told_of(files: Files, text: str) -> None:
    definitions = files.opened()
    files.write(files.workloads, text)
    files.later()

    assert definitions.current().workloads == WORKLOADS
    assert definitions.fault is not None
    assert str(files.workloads) in definitions.fault


def test_a_file_that_is_away_replaces_nothing(files: Files) -> None:
    definitions = files.opened()
    files.installation.unlink()
    files.later()

    assert definitions.current().installation == INSTALLATION
    assert definitions.fault is not None


def test_a_fault_is_over_when_the_document_is_good_again(files: Files) -> None:
    definitions = files.opened()
    before = definitions.current()
    files.write(files.workloads, "{")
    files.later()
    definitions.current()
    files.write(files.workloads, WORKLOADS.document())
    files.later()

    assert definitions.current() is before
    assert definitions.fault is None


@pytest.mark.parametrize("name", ["installation", "workloads"])
def test_without_a_first_definition_it_does_not_begin(files: Files, name: str) -> None:
    file: Path = getattr(files, name)
    file.write_bytes(b"\xff")

    with pytest.raises(DefinitionUnreadableError, match=str(file)):
        files.opened()
