"""Local files that are on the disk before they are named: pyiceberg's own local files are not.

pyiceberg closes a file and goes on; a power failure may then leave an acknowledged commit that points at an empty
file. Here closing a local file writes it through, and its folder's entry too. Object stores promise as much by
themselves, so their files are pyiceberg's own.
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyiceberg.io.pyarrow import PyArrowFile
from typing_extensions import override

from aeterna.graph.adapters.iceberg.warehouse_io import WarehouseFileIO
from aeterna.graph.domain.arrow import untyped

if TYPE_CHECKING:
    from types import TracebackType

    from pyiceberg.io import OutputStream

DURABLE_FILE_IO: Final = f"{__name__}.DurableFileIO"
_BUFFER: Final = 1 << 20


class _DurableStream(io.BufferedWriter):
    """A file that is written through when it is closed, and gone when it could not be written."""

    def __init__(self, path: Path) -> None:
        _make_folder(path.parent)
        super().__init__(io.FileIO(path, "wb"), buffer_size=_BUFFER)
        self._path = path

    @override
    def close(self) -> None:
        if self.closed:
            return
        try:
            self.flush()
            os.fsync(self.fileno())
        except OSError:
            self._abandon()
            raise
        super().close()
        _sync_folder(self._path.parent)

    @override
    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if problem is None:
            self.close()
        else:
            self._abandon()

    def _abandon(self) -> None:
        # Closing flushes what is buffered, which fails again on a full disk; the raw file closes all the same.
        with contextlib.suppress(OSError):
            super().close()
        self._path.unlink(missing_ok=True)


class _DurableFile(PyArrowFile):
    """A local file that pyiceberg writes."""

    @override
    def create(self, overwrite: bool = False) -> OutputStream:
        path = Path(self._path)
        if not overwrite and path.exists():
            raise FileExistsError(f"Cannot create file, already exists: {self.location}")
        return untyped(_DurableStream(path))  # the protocol names parameters that Python's own files do not


class DurableFileIO(WarehouseFileIO):
    """pyiceberg's files, with local ones written through before they are used."""

    @override
    def new_output(self, location: str) -> PyArrowFile:
        output = super().new_output(location)
        scheme, netloc, path = self.parse_location(location, self.properties)
        if scheme != "file":
            return output
        return _DurableFile(location=location, path=path, fs=untyped(self).fs_by_scheme(scheme, netloc))


def _make_folder(folder: Path) -> None:
    """Make the folder and its parents, each one's entry on the disk too."""
    missing: list[Path] = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for made in reversed(missing):
        made.mkdir(exist_ok=True)
        _sync_folder(made.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
