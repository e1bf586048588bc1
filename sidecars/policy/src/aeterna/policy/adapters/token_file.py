"""A bearer token in a file, which may be replaced under the running process."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES: Final = 4096


class TokenFile:
    """Says whether a presented token is the one in the file; a file that is missing or empty matches nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signature: tuple[int, int, int] | None = None
        self._digest: bytes | None = None

    def matches(self, presented: bytes) -> bool:
        """Compare digests in constant time, so that neither content nor length shows in how long it takes."""
        expected = self._expected()
        given = hashlib.sha256(presented).digest()
        return expected is not None and hmac.compare_digest(expected, given)

    def _expected(self) -> bytes | None:
        try:
            status = self._path.stat()
            signature = (status.st_ino, status.st_mtime_ns, status.st_size)
            if signature != self._signature:
                with self._path.open("rb") as file:
                    token = file.read(_MAX_BYTES).strip()
                self._digest = hashlib.sha256(token).digest() if token else None
                self._signature = signature
        except OSError:
            self._signature = self._digest = None
        return self._digest
