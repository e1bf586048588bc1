"""Files that are found whole or refused: sealed with a checksum, and replaced in one step that survives a power cut."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

import orjson

from aeterna.contracts.json_value import is_object

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_HEAD: Final = b'{"checksum":"'
_MIDDLE: Final = b'","content":'
_TAIL: Final = b"}\n"
_TEXTS: Final = "texts"
_CHECKSUM_CHARS: Final = 64
_MAX_BYTES: Final = 128 * 1024 * 1024
_MODE: Final = 0o600
_NO_TEXTS: Final[Mapping[str, str]] = MappingProxyType({})
TEMPORARY_SUFFIX: Final = ".new"


class FileDamagedError(Exception):
    """What is in the file is not what was written there; never leaves the adapters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a file holds: a small document, and texts by name."""

    document: Mapping[str, object]
    texts: Mapping[str, str]


class SealedFiles:
    """Writes and reads sealed files; each step is a method of its own, so that a test can end a process between two."""

    def write(self, path: Path, document: Mapping[str, object], texts: Mapping[str, str] = _NO_TEXTS) -> None:
        """Replace the file: whoever reads it meanwhile, or after a crash, finds the old or the new; raise OSError."""
        temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
        try:
            self.store(temporary, seal(document, texts))
            self.rename(temporary, path)
            self.sync_folder(path.parent)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def store(self, path: Path, pieces: Sequence[bytes]) -> None:
        """Write a new file and wait for the disk."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, _MODE), "wb") as file:
            file.writelines(pieces)
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

    def read(self, path: Path) -> Sealed:
        """Return what was sealed; raise `FileDamagedError`, or OSError such as FileNotFoundError."""
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise FileDamagedError("is too large to be ours")
        return unseal(content)


def seal(document: Mapping[str, object], texts: Mapping[str, str]) -> Sequence[bytes]:
    """Return the pieces of a file: a line of JSON with the checksum and the document, and then the texts as they are.

    The texts are no JSON, because to escape and to parse two megabytes holds everybody else up for milliseconds.
    """
    parts = [text.encode() for text in texts.values()]
    named = {_TEXTS: [[name, len(part)] for name, part in zip(texts, parts, strict=True)]} if texts else {}
    line = orjson.dumps({**document, **named}, option=orjson.OPT_SORT_KEYS) + _TAIL
    return [_HEAD + _checksum([line, *parts]) + _MIDDLE + line, *parts]


def unseal(content: bytes) -> Sealed:
    """Return what was sealed, or raise `FileDamagedError`; no byte can differ unnoticed."""
    start = len(_HEAD) + _CHECKSUM_CHARS + len(_MIDDLE)
    body = memoryview(content)[start:]
    if content[:start] != _HEAD + _checksum([body]) + _MIDDLE:
        raise FileDamagedError("its checksum is not that of its content")
    end = content.index(_TAIL, start)
    document: object = orjson.loads(body[: end - start])
    if not is_object(document):
        raise FileDamagedError("is no document of ours")
    place, texts = end + len(_TAIL), dict[str, str]()
    # What the checksum vouches for was written by `seal`.
    lengths = cast("list[tuple[str, int]]", document.pop(_TEXTS, []))
    for name, length in lengths:
        texts[name] = str(memoryview(content)[place : place + length], "utf-8")
        place += length
    return Sealed(document=document, texts=texts)


def _checksum(pieces: Sequence[bytes | memoryview]) -> bytes:
    content = hashlib.sha256()
    for piece in pieces:
        content.update(piece)
    return content.hexdigest().encode()
