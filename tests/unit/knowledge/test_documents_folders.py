"""A folder or a checkout gives its files as documents, and nothing from outside of it."""

from __future__ import annotations

import os
import pickle
import subprocess
from typing import TYPE_CHECKING

import pytest

from aeterna.knowledge.adapters.documents.files import DocumentFiles, ReadingLimits
from aeterna.knowledge.adapters.documents.folders import FolderOfDocuments
from aeterna.knowledge.domain.documents import DocumentId, Upload
from aeterna.knowledge.errors import DocumentRefusedError
from aeterna.knowledge.usecases.reading import DocumentReading
from fixtures.fix_documents import Documents, uploaded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = {
    "a.md": "# A\n",
    "docs/b.md": "# B\n",
    "docs/draft.tmp": "x",
    "docs/.gitignore": "!keep.tmp\n",
    "docs/keep.tmp": "x",
    "build/out.md": "x",
    ".gitignore": "*.tmp\n/build/\n",
    "docs-old.md": "# Old\n",
}
KEPT = [".gitignore", "a.md", "docs-old.md", "docs/.gitignore", "docs/b.md", "docs/keep.tmp"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with files that Git would ignore."""
    root = tmp_path / "root"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def as_it_is(root: Path) -> None:
    """Leave the folder as it is: no checkout."""


def as_checkout(root: Path) -> None:
    """Make the folder a checkout, with a command in its configuration that Git would run."""
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "config", "core.fsmonitor", f"touch {root.parent}/ran; false"], check=True)


WAYS = pytest.mark.parametrize("make", [as_it_is, pytest.param(as_checkout, marks=pytest.mark.needs("git"))])


@WAYS
def test_files_that_git_ignores_are_none(folder: Path, make: Callable[[Path], None]) -> None:
    make(folder)
    files = FolderOfDocuments(folder, prefix="repo/")

    assert [upload.id for upload in files.after(None)] == [f"repo/{name}" for name in sorted(KEPT)]
    assert files.count() == len(KEPT)


@WAYS
def test_no_link_is_followed_and_no_pipe_waited_for(folder: Path, make: Callable[[Path], None]) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    (folder / "link.md").symlink_to(outside / "secret.md")
    (folder / "linked").symlink_to(outside)
    (folder / "inner.md").symlink_to(folder / "a.md")
    os.mkfifo(folder / "pipe.md")
    make(folder)
    files = FolderOfDocuments(folder)

    uploads = {upload.id: upload for upload in files.after(None)}

    assert all(upload.content != b"secret" for upload in uploads.values())
    for link in ("link.md", "linked", "inner.md"):
        assert "links are not followed" in str(uploads[DocumentId(link)].unreadable)


@WAYS
def test_a_name_that_is_not_utf8_is_refused_by_an_id_that_can_be_written_down(
    folder: Path, make: Callable[[Path], None]
) -> None:
    """One such file must not end the work on all others."""
    make(folder)
    (folder / os.fsdecode(b"gr\xf6sse.md")).write_text("x")
    upload = next(each for each in FolderOfDocuments(folder).after(None) if "\ufffd" in each.id)

    assert (upload.id, upload.unreadable) == ("gr\ufffdsse.md", "has a name that is not UTF-8")


def test_what_cannot_be_had_is_refused_with_its_reason(documents: Documents) -> None:
    """So the report of a folder names it beside what its readers refuse."""
    upload = Upload(id=DocumentId("a.md"), content=b"", name="a.md", unreadable="is a symbolic link")

    with pytest.raises(DocumentRefusedError, match="is a symbolic link"):
        documents.files.read(upload)


@pytest.mark.needs("git")
def test_nothing_that_a_checkouts_configuration_names_is_run(folder: Path) -> None:
    """A checkout may be a stranger's."""
    as_checkout(folder)

    list(FolderOfDocuments(folder).after(None))

    assert not (folder.parent / "ran").exists()


def test_it_goes_on_behind_a_document(folder: Path) -> None:
    files = FolderOfDocuments(folder)

    assert [upload.id for upload in files.after(DocumentId("docs-old.md"))] == KEPT[3:]


def test_a_file_that_is_too_large_is_not_read_whole_and_refused_by_its_reader(folder: Path) -> None:
    (folder / "large.md").write_text("x" * 5_000)
    upload = next(each for each in FolderOfDocuments(folder, max_bytes=1_000).after(None) if each.id == "large.md")

    assert len(upload.content) == 1_001


def test_a_reader_may_be_sent_to_another_process_and_is_one_there() -> None:
    """A pool's tasks bring it along; each of them must not start a process of its own."""
    reading = DocumentReading(DocumentFiles(ReadingLimits(seconds=7)))
    there = [pickle.loads(pickle.dumps(reading)) for _ in range(2)]  # noqa: S301 - our own

    assert there[0]._reader is there[1]._reader


def test_an_entry_is_the_text_its_units_and_what_it_says(documents: Documents) -> None:
    upload = uploaded("# A title\n\nSome text.\n", "a.md")
    reading = DocumentReading(documents.files)
    entry = reading.read(upload)

    assert (entry.title, entry.media_type, entry.text) == ("A title", "text/markdown", "# A title\n\nSome text.\n")
    assert [unit.text for unit in entry.units] == ["# A title\n\nSome text."]
    assert entry.contribution.digest == reading.digest(upload)
