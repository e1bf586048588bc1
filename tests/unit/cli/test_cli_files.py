"""What is put is called as its file, or as its folder and the way to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aeterna.cli.corpus.files import files
from aeterna.cli.errors import SourceUnreadableError


@pytest.fixture
def sea(tmp_path: Path) -> Path:
    """Return a folder with what is put and what is not."""
    folder = tmp_path / "sea"
    for name in ("b.md", "deep/a.md", ".hidden.md", ".git/config"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")
    (folder / "link.md").symlink_to(folder / "b.md")
    (folder / "loop").symlink_to(folder)
    return folder


@pytest.mark.parametrize(
    ("given", "documents"),
    [
        (["."], ["sea/b.md", "sea/deep/a.md"]),
        (["b.md"], ["b.md"]),
        (["deep", "deep/a.md", "deep"], ["a.md", "deep/a.md"]),
    ],
    ids=["a folder", "a file", "the same twice"],
)
def test_documents_are_called_as_their_files_are(sea: Path, given: list[str], documents: list[str]) -> None:
    assert [file.document for file in files(sea / each for each in given)] == documents


def test_a_prefix_goes_before(sea: Path) -> None:
    assert [file.document for file in files([sea / "b.md"], "wet/")] == ["wet/b.md"]


def test_the_folder_where_one_is_has_its_own_name(sea: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sea)

    assert [file.document for file in files([Path()])] == ["sea/b.md", "sea/deep/a.md"]


def test_a_file_that_is_gone_is_an_error_with_its_name(sea: Path) -> None:
    (file,) = files([sea / "b.md"])
    file.path.unlink()

    with pytest.raises(SourceUnreadableError, match=r"b\.md"):
        file.content()
