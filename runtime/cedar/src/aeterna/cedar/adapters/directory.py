"""Bundles read from a folder: ``*.cedar``, one ``*.cedarschema`` and ``entities.json``, and those of each tenant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.bundle import ENTITIES_FILE, POLICY_SUFFIX, SCHEMA_SUFFIX, Bundle
from aeterna.cedar.domain.paths import checked_path
from aeterna.cedar.errors import BundleInvalidError, BundleUnreadableError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_MAX_BYTES: Final = 16 * 1024 * 1024
_MAX_FILES: Final = 20_000
_MAX_DEPTH: Final = 8
# Kubernetes swaps a mounted ConfigMap by moving this link: reading through it once gives files of one version.
_VERSION_LINK: Final = "..data"


class DirectoryBundleSource:
    """Reads one folder with all below it, but nothing that is hidden, and nothing that a link leads out to.

    Every file that could belong to a bundle does, however deep it lies: one that is passed over in silence may be the
    one that forbids something.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Bundle:
        """Return the bundle that the folder holds now, or raise `BundleUnreadableError`."""
        try:
            version = self._folder / _VERSION_LINK
            root = (version if version.is_symlink() else self._folder).resolve(strict=True)
            return Bundle.of(_texts(root))
        except (OSError, UnicodeDecodeError) as exc:
            raise BundleUnreadableError(str(self._folder), type(exc).__name__) from exc
        except BundleInvalidError as exc:
            raise BundleUnreadableError(str(self._folder), f"{exc.where}: {exc.reason}") from None


def read_schema(file: Path) -> str:
    """Return the text of a schema that stands by itself, or raise `BundleUnreadableError`."""
    try:
        content = _content(file.resolve(strict=True), _MAX_BYTES)
        if len(content) > _MAX_BYTES:
            raise BundleUnreadableError(str(file), f"larger than {_MAX_BYTES} bytes")
        return content.decode()
    except (OSError, UnicodeDecodeError) as exc:
        raise BundleUnreadableError(str(file), type(exc).__name__) from exc
    except BundleInvalidError as exc:
        raise BundleUnreadableError(str(file), exc.reason) from None


def _texts(root: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    left = _MAX_BYTES
    for number, file in enumerate(_files(root, root, _MAX_DEPTH)):
        path = checked_path(file.relative_to(root).as_posix())
        if number >= _MAX_FILES:
            raise BundleInvalidError("bundle", f"has more than {_MAX_FILES} files")
        real = file.resolve(strict=True)
        if not real.is_relative_to(root):
            raise BundleInvalidError(path, "is a link that leads out of the folder")
        content = _content(real, left)
        left -= len(content)
        if left < 0:
            raise BundleInvalidError("bundle", f"is larger than {_MAX_BYTES} bytes")
        texts[path] = content.decode()
    return texts


def _files(root: Path, folder: Path, depth: int) -> Generator[Path]:
    """Yield what may belong to a bundle; links to folders are not followed, so that none can lead round in a circle."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if entry.is_symlink():
                raise BundleInvalidError(str(entry.relative_to(root)), "is a link to a folder")
            if depth == 0:
                raise BundleInvalidError("bundle", f"has folders that are more than {_MAX_DEPTH} deep")
            yield from _files(root, entry, depth - 1)
        elif entry.name.endswith((POLICY_SUFFIX, SCHEMA_SUFFIX)) or entry.name == ENTITIES_FILE:
            yield entry


def _content(file: Path, limit: int) -> bytes:
    """Read no more than one byte over the limit, and nothing that is no ordinary file: a pipe would never end."""
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as opened:
        if not file.is_file():
            raise BundleInvalidError(file.name, "is no ordinary file")
        return opened.read(limit + 1)
