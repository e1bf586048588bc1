"""Bundles read from a folder: ``*.cedar``, one ``*.cedarschema`` and, where there are any, ``entities.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.errors import BundleInvalidError, BundleUnreadableError

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES: Final = 16 * 1024 * 1024
# Kubernetes swaps a mounted ConfigMap by moving this link: reading through it once gives files of one version.
_VERSION_LINK: Final = "..data"


class DirectoryBundleSource:
    """Reads one folder, not the folders below it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Bundle:
        """Return the bundle that the folder holds now, or raise `BundleUnreadableError`."""
        try:
            version = self._folder / _VERSION_LINK
            folder = version.resolve(strict=True) if version.exists() else self._folder
            files = sorted(path for path in folder.iterdir() if path.is_file())
            if sum(path.stat().st_size for path in files) > _MAX_BYTES:
                raise BundleUnreadableError(str(self._folder), f"larger than {_MAX_BYTES} bytes")
            texts = {path.name: path.read_text(encoding="utf-8") for path in files}
        except (OSError, UnicodeDecodeError) as exc:
            raise BundleUnreadableError(str(self._folder), type(exc).__name__) from exc
        try:
            return Bundle.of(texts)
        except BundleInvalidError as exc:
            raise BundleUnreadableError(str(self._folder), exc.reason) from None
