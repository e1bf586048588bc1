"""Finds the files to put into knowledge, and what each is called there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aeterna.cli.errors import SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file and the document that it is."""

    path: Path
    document: str

    def content(self) -> bytes:
        """Return what it holds; raise `SourceUnreadableError`."""
        try:
            return self.path.read_bytes()
        except OSError as unreadable:
            raise SourceUnreadableError(self.path, str(unreadable)) from unreadable


def files(paths: Iterable[Path], prefix: str = "") -> tuple[File, ...]:
    """Return files by the name that they have, and those of folders with the folder's name and the way to them.

    Of a folder, what begins with a dot is left out, and links are not followed. What comes twice counts once. Raise
    `SourceUnreadableError` for a folder that cannot be listed.
    """
    found: dict[str, File] = {}
    for path in paths:
        whole = path.absolute()
        for each in _below(whole) if whole.is_dir() else (whole,):
            # `.` and `..` are called what they are.
            name = each.relative_to(whole.parent) if whole.name not in {"", ".."} else each.relative_to(whole)
            found.setdefault(prefix + name.as_posix(), File(path=each, document=prefix + name.as_posix()))
    return tuple(found[document] for document in sorted(found))


def _below(folder: Path) -> list[Path]:
    def failed(problem: OSError) -> None:
        raise SourceUnreadableError(Path(problem.filename or folder), problem.strerror or "unreadable") from problem

    found: list[Path] = []
    for where, folders, names in os.walk(folder, onerror=failed):
        folders[:] = [each for each in folders if not each.startswith(".")]
        paths = (Path(where, name) for name in names if not name.startswith("."))
        found += [path for path in paths if path.is_file() and not path.is_symlink()]
    return found
