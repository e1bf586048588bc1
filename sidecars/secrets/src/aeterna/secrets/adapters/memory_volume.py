"""Secrets as files of a volume in memory, in generations that are switched by renaming one symbolic link.

The layout is that of Kubernetes' own projected volumes, which programs that watch files know already:

    ..8f3a1c9b5d7e/app/db.ini     a generation, complete before anything leads to it
    ..data -> ..8f3a1c9b5d7e      renamed over, which is one step
    app -> ..data/app             the name that an application opens

Everything below the folder is reached from its open descriptor, one name at a time and through no link, so that nobody
who can write to the volume leads a secret, or its overwriting, to another place.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aeterna.secrets.errors import FolderRefusedError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from aeterna.secrets.domain.rendition import RenderedFile

_CURRENT: Final = "..data"
_NEXT: Final = "..data-next"
_GENERATION: Final = re.compile(r"\.\.[0-9a-f]{16}")
_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_MOUNTS: Final = Path("/proc/self/mountinfo")
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ANY_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OVER_FILE: Final = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_BLOCK: Final = 64 * 1024


class MemoryVolume:
    """A folder that is this sidecar's own; ``anywhere`` allows one that is on no memory, as for development."""

    def __init__(self, folder: Path, *, anywhere: bool = False, mounts: Path = _MOUNTS) -> None:
        self._folder = folder
        self._anywhere = anywhere
        self._mounts = mounts
        self._current: str | None = None

    def clear(self) -> None:
        """See `Volume.clear`; what was written by others stays."""
        with self._opened() as root:
            self._current = None
            with suppress(FileNotFoundError):
                os.unlink(_CURRENT, dir_fd=root)
            for name in _entries(root):
                if _GENERATION.fullmatch(name):
                    _remove(root, name, overwrite=True)
                elif _leads_into(root, name):
                    os.unlink(name, dir_fd=root)

    def switch(self, files: Mapping[str, RenderedFile]) -> None:
        """See `Volume.switch`."""
        generation = f"..{secrets.token_hex(8)}"
        wanted = {name.partition("/")[0] for name in files}
        with self._opened() as root:
            try:
                _write_generation(root, generation, files)
                # Names first: what is new leads nowhere for a moment, and what fails here has changed nothing yet.
                for name in wanted:
                    _link(root, f"{_CURRENT}/{name}", name)
                _link(root, generation, _CURRENT)
            except OSError:
                with suppress(OSError):
                    _remove(root, generation, overwrite=True)
                raise
            self._current = generation
            for name in _entries(root) - wanted:
                if _leads_into(root, name):
                    os.unlink(name, dir_fd=root)

    def sweep(self, *, overwrite: bool) -> None:
        """See `Volume.sweep`."""
        with self._opened() as root:
            for name in _entries(root):
                if name != self._current and _GENERATION.fullmatch(name):
                    _remove(root, name, overwrite=overwrite)

    @contextmanager
    def _opened(self) -> Generator[int]:
        """Return the folder, after it was looked at: a volume can be mounted over another at any time."""
        try:
            root = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self._check(root)
                yield root
            finally:
                os.close(root)
        except OSError as exc:
            # Not which file: its name is the configuration's, but nothing here needs to say more than what failed.
            raise FolderRefusedError(str(self._folder), exc.strerror or type(exc).__name__) from None

    def _check(self, root: int) -> None:
        if self._anywhere:
            return
        device = os.fstat(root).st_dev
        kind = _file_system(self._mounts, f"{os.major(device)}:{os.minor(device)}")
        if kind not in _MEMORY:
            reason = f"is on {kind or 'an unknown file system'}, and secrets are written to memory alone (tmpfs)"
            raise FolderRefusedError(str(self._folder), reason)


def _file_system(mounts: Path, device: str) -> str | None:
    """Return the type of the mounted file system with this device (proc(5), mountinfo)."""
    try:
        lines = mounts.read_text("utf-8").splitlines()
    except OSError:
        return None
    for line in lines:
        place, _, kind = line.partition(" - ")
        if place.split()[2:3] == [device]:
            return kind.split()[0]
    return None


def _entries(folder: int) -> set[str]:
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries}


def _write_generation(root: int, generation: str, files: Mapping[str, RenderedFile]) -> None:
    os.mkdir(generation, 0o700, dir_fd=root)
    for name, file in files.items():
        *folders, last = name.split("/")
        with _folder(root, [generation, *folders]) as folder:
            _write(folder, last, file)


@contextmanager
def _folder(root: int, names: list[str]) -> Generator[int]:
    """Return the folder at the end of the names, making those that are not there; through no link.

    Anybody may enter them, since a file's own mode says who reads it; they keep the volume's group.
    """
    above = os.dup(root)
    try:
        for name in names:
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=above)
            folder = os.open(name, _FOLDER, dir_fd=above)
            os.close(above)
            above = folder
            os.fchmod(folder, stat.S_IMODE(os.fstat(folder).st_mode) | 0o755)
        yield above
    finally:
        os.close(above)


def _write(folder: int, name: str, file: RenderedFile) -> None:
    opened = os.open(name, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        if file.group is not None:
            _give(opened, file.group)
        rest = memoryview(file.content)
        while rest:
            rest = rest[os.write(opened, rest) :]
        # Last, and by the descriptor: no umask has a say in it.
        os.fchmod(opened, file.mode)
    finally:
        os.close(opened)


def _give(opened: int, group: int) -> None:
    try:
        os.fchown(opened, -1, group)
    except PermissionError as exc:
        raise PermissionError(exc.errno, f"the sidecar is not in group {group}") from None


def _link(root: int, target: str, name: str) -> None:
    """Make a link, or have one lead elsewhere, in one step; what is in its place and is a folder is an error."""
    with suppress(FileNotFoundError):
        if os.readlink(name, dir_fd=root) == target:
            return
    with suppress(FileNotFoundError):
        os.unlink(_NEXT, dir_fd=root)
    os.symlink(target, _NEXT, dir_fd=root)
    os.rename(_NEXT, name, src_dir_fd=root, dst_dir_fd=root)


def _leads_into(root: int, name: str) -> bool:
    """Say whether this is a link that only we make; ``..data-next`` is one that nobody came to rename."""
    try:
        target = os.readlink(name, dir_fd=root)
    except OSError:
        return False
    return target.startswith(f"{_CURRENT}/") or (name == _NEXT and bool(_GENERATION.fullmatch(target)))


def _remove(above: int, name: str, *, overwrite: bool) -> None:
    """Remove a folder with everything in it; links are removed and not followed."""
    try:
        folder = os.open(name, _FOLDER, dir_fd=above)
    except (NotADirectoryError, FileNotFoundError):
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=above)
        return
    try:
        os.fchmod(folder, 0o700)
        for entry in _entries(folder):
            kind = os.stat(entry, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISDIR(kind):
                _remove(folder, entry, overwrite=overwrite)
                continue
            if overwrite and stat.S_ISREG(kind):
                _overwrite(folder, entry)
            os.unlink(entry, dir_fd=folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=above)


def _overwrite(folder: int, name: str) -> None:
    """Fill a file with zeros: on memory that is where its content was."""
    reading = os.open(name, _ANY_FILE, dir_fd=folder)
    try:
        os.fchmod(reading, 0o600)
        size = os.fstat(reading).st_size
        writing = os.open(name, _OVER_FILE, dir_fd=folder)
    finally:
        os.close(reading)
    try:
        while size > 0:
            size -= os.write(writing, bytes(min(size, _BLOCK)))
    finally:
        os.close(writing)
