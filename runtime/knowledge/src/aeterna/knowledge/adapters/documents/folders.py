"""Gives out the files of a folder or a Git checkout as documents, in the order of their ids, and follows no link.

In a checkout Git says which files there are; elsewhere the ``.gitignore`` files of the folder do, as pathspec reads
them.
"""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING, Final

from pathspec import GitIgnoreSpec

from aeterna.knowledge.domain.documents import DocumentId, Upload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GIT_FOLDER: Final = ".git"
_IGNORE_FILE: Final = ".gitignore"
_GIT_SECONDS: Final = 60
MAX_IGNORE_BYTES: Final = 1 << 20
# A checkout may be a stranger's, and Git runs what its configuration names: nothing of that is wanted to list files.
_GIT: Final = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")
# Nothing of ours or the user's: the same checkout gives the same files everywhere.
_GIT_ENVIRONMENT: Final = {"LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


class FolderOfDocuments:
    """The files below a folder. A document's id is ``prefix`` and its path from there, with slashes."""

    def __init__(self, root: Path, *, prefix: str = "", max_bytes: int = 16 << 20) -> None:
        """Of a file with more than ``max_bytes`` one more is read, so that its reader refuses it by its own rule."""
        self._root = root.resolve(strict=True)
        self._prefix = prefix
        self._max_bytes = max_bytes
        self._paths: dict[DocumentId, str] | None = None

    @property
    def name(self) -> str:
        """The folder, for people."""
        return str(self._root)

    @property
    def prefix(self) -> str:
        """What the ids of all of its documents begin with."""
        return self._prefix

    def ids(self) -> Iterator[DocumentId]:
        """Give out the ids of all documents, in their order."""
        return iter(self._listed())

    def count(self) -> int:
        """Return how many files there are."""
        return len(self._listed())

    def after(self, cursor: DocumentId | None) -> Iterator[Upload]:
        """Return the documents whose ids are greater, in the order of their ids."""
        root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for document, path in self._listed().items():
                if cursor is None or document > cursor:
                    yield self._upload(root, path, document)
        finally:
            os.close(root)

    def _upload(self, root: int, path: str, document: DocumentId) -> Upload:
        if not document.endswith(path):
            return Upload(id=document, content=b"", name=document, unreadable="has a name that is not UTF-8")
        try:
            return Upload(id=document, content=_content(root, path, self._max_bytes + 1), name=path)
        except OSError as problem:
            return Upload(id=document, content=b"", name=path, unreadable=_reason(problem))

    def _listed(self) -> dict[DocumentId, str]:
        """Return the paths by their ids, in the order of these. No id has what cannot be written as UTF-8."""
        if self._paths is None:
            found = _tracked(self._root)
            paths = _walked(self._root) if found is None else found
            by_id = {DocumentId(self._prefix + os.fsencode(path).decode(errors="replace")): path for path in paths}
            self._paths = dict(sorted(by_id.items()))
        return self._paths


def _reason(problem: OSError) -> str:
    if isinstance(problem, _NoFileError):
        return str(problem)
    return f"cannot be read: {problem.strerror}"


class _NoFileError(OSError):
    """The path is that of something else than a file."""


def _content(root: int, path: str, limit: int) -> bytes:
    """Return the first bytes of a file; no part of its path may be a link, whoever puts one there meanwhile."""
    *folders, name = path.split("/")
    here = os.dup(root)
    try:
        for folder in folders:
            inner = _opened(folder, os.O_DIRECTORY, here)
            os.close(here)
            here = inner
        # Without O_NONBLOCK a pipe would be waited for.
        file = _opened(name, os.O_NONBLOCK, here)
    finally:
        os.close(here)
    with open(file, "rb", buffering=0) as stream:  # noqa: PTH123 - of a descriptor
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise _NoFileError("is no file")
        parts: list[bytes] = []
        while limit > 0 and (part := stream.read(limit)):
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)


def _opened(name: str, flags: int, folder: int) -> int:
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)
    except OSError:
        with_link = _mode(name, folder)
        if with_link is not None and stat.S_ISLNK(with_link):
            raise _NoFileError("is a symbolic link, or lies behind one; links are not followed") from None
        raise


def _mode(name: str, folder: int) -> int | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return None


def _tracked(root: Path) -> list[str] | None:
    """Return the files that Git tracks or would track, or None where there is no Git or no checkout."""
    command = [*_GIT, "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=_GIT_SECONDS, check=True, env=_GIT_ENVIRONMENT)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    # A submodule is listed as a file; it is a checkout of its own.
    paths = {os.fsdecode(path) for path in answer.stdout.split(b"\0") if path}
    return [path for path in paths if not (root / path).is_dir() or (root / path).is_symlink()]


def _walked(root: Path) -> Iterator[str]:
    """Give out the files that no ``.gitignore`` above them excludes."""
    specs: dict[str, list[tuple[str, GitIgnoreSpec]]] = {}
    for folder, folders, files in os.walk(root):
        here = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if here == "." else f"{here}/"
        above = specs.get(prefix.rstrip("/").rpartition("/")[0], []) if prefix else []
        own = _ignore_file(folder, files)
        specs[prefix.rstrip("/")] = rules = [*above, (prefix, own)] if own is not None else above
        folders[:] = [name for name in folders if name != _GIT_FOLDER and not _ignored(rules, f"{prefix}{name}/")]
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]  # noqa: PTH114, PTH118 - many
        yield from (f"{prefix}{name}" for name in (*files, *links) if not _ignored(rules, f"{prefix}{name}"))


def _ignore_file(folder: str, files: list[str]) -> GitIgnoreSpec | None:
    if _IGNORE_FILE not in files:
        return None
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        lines = _content(descriptor, _IGNORE_FILE, MAX_IGNORE_BYTES).decode(errors="replace").splitlines()
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return GitIgnoreSpec.from_lines(lines)


def _ignored(rules: list[tuple[str, GitIgnoreSpec]], path: str) -> bool:
    """Tell whether the rules exclude a path: the deepest file that says anything of it decides."""
    for prefix, spec in reversed(rules):
        said = spec.check_file(path.removeprefix(prefix)).include
        if said is not None:
            return said
    return False
