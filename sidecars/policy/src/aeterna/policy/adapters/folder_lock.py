"""The lock by which one process at a time keeps a folder; the system lets go of it with the process."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

from aeterna.policy.errors import StateLockedError

if TYPE_CHECKING:
    from pathlib import Path

_FILE: Final = "lock"


class FolderLock:
    """Not for use by several threads at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether the lock is ours."""
        return self._handle is not None

    def take(self) -> None:
        """Take the lock, or raise `StateLockedError` when somebody has it, or OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(self._folder / _FILE, flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise StateLockedError(str(self._folder)) from None
        except OSError:
            os.close(handle)
            raise
        self._handle = handle

    def release(self) -> None:
        """Let another process take it."""
        if self._handle is not None:
            os.close(self._handle)
        self._handle = None
