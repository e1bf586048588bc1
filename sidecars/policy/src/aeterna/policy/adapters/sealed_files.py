"""Files that are found whole or refused: sealed with a checksum, and replaced in one step that survives a power cut."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_HEAD: Final = b'{"checksum":"'
_MIDDLE: Final = b'","content":'
_TAIL: Final = b"}\n"
_CHECKSUM_CHARS: Final = 64
_MAX_BYTES: Final = 128 * 1024 * 1024
_MODE: Final = 0o600
TEMPORARY_SUFFIX: Final = ".new"


class FileDamagedError(Exception):
    """What is in the file is not what was written there; never leaves the adapters."""


class SealedFiles:
    """Writes and reads sealed files; each step is a method of its own, so that a test can end a process between two."""

    def write(self, path: Path, document: Mapping[str, object]) -> None:
        """Replace the file: whoever reads it meanwhile, or after a crash, finds the old or the new; raise OSError."""
        temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
        try:
            self.store(temporary, seal(document))
            self.rename(temporary, path)
            self.sync_folder(path.parent)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def store(self, path: Path, content: bytes) -> None:
        """Write a new file and wait for the disk."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, _MODE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, temporary: Path, path: Path) -> None:
        """Put the new file in the old one's place."""
        temporary.replace(path)

    def sync_folder(self, folder: Path) -> None:
        """Wait until the disk knows the new name."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def remove(self, path: Path) -> None:
        """Delete a file that nothing needs."""
        path.unlink(missing_ok=True)

    def read(self, path: Path) -> Mapping[str, object]:
        """Return the document; raise `FileDamagedError`, or OSError such as FileNotFoundError."""
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise FileDamagedError("is too large to be ours")
        return unseal(content)


def seal(document: Mapping[str, object]) -> bytes:
    """Return a JSON document of two members: the checksum, and the content that it is of."""
    body = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return _HEAD + _checksum(body) + _MIDDLE + body + _TAIL


def unseal(content: bytes) -> Mapping[str, object]:
    """Return the document, or raise `FileDamagedError`; no byte can differ unnoticed."""
    start = len(_HEAD) + _CHECKSUM_CHARS + len(_MIDDLE)
    body = content[start : -len(_TAIL)]
    if content[:start] != _HEAD + _checksum(body) + _MIDDLE or not content.endswith(_TAIL):
        raise FileDamagedError("its checksum is not that of its content")
    parsed: object = orjson.loads(body)
    if not isinstance(parsed, dict):
        raise FileDamagedError("is no document of ours")
    return cast("Mapping[str, object]", parsed)


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
