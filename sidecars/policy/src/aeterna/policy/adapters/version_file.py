"""The newest version seen of each signing key, kept beside the bundle: a replayed older one is known as such."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from aeterna.policy.adapters.sealed_files import FileDamagedError, SealedFiles

if TYPE_CHECKING:
    from pathlib import Path

_FILE: Final = "versions.json"

log = structlog.stdlib.get_logger(__name__)


class VersionFile:
    """Remembers versions by the id of the key that signed them; without a disk, as long as the process lives."""

    def __init__(self, folder: Path, *, files: SealedFiles | None = None) -> None:
        self._path = folder / _FILE
        self._files = files or SealedFiles()
        self._versions: dict[str, int] | None = None

    def last(self, key: str) -> int:
        """Return the newest version that was noted for this key, or 0."""
        return self._known().get(key, 0)

    def note(self, key: str, version: int) -> None:
        """Remember a version; lower ones than the last are not remembered."""
        known = self._known()
        if version <= known.get(key, 0):
            return
        known[key] = version
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._files.write(self._path, known)
        except OSError as exc:
            log.warning("policy.state_fault", file=self._path.name, reason=exc.strerror or str(exc))

    def _known(self) -> dict[str, int]:
        if self._versions is None:
            try:
                written = self._files.read(self._path).document
                self._versions = {key: version for key, version in written.items() if isinstance(version, int)}
            except FileNotFoundError:
                self._versions = {}
            except (OSError, FileDamagedError) as exc:
                # Better an old bundle with a good signature than none ever again.
                log.exception("policy.state_damaged", file=self._path.name, reason=str(exc))
                self._versions = {}
        return self._versions
