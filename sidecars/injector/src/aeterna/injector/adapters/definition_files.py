"""What is injected, from two files that may be replaced under the running process, as mounted ConfigMaps are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import structlog

from aeterna.contracts.injection import read_installation
from aeterna.contracts.injection.errors import InvalidInstallationError
from aeterna.contracts.workloads import WorkloadsInvalidError, read_workloads
from aeterna.injector.domain.definition import Definition
from aeterna.injector.errors import DefinitionUnreadableError

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.service.clock import Clock

_LOOKED_AT_SECONDS: Final = 1.0
_Signature: TypeAlias = "tuple[tuple[int, int, int], ...]"

log = structlog.stdlib.get_logger(__name__)


class DefinitionFiles:
    """Looks at the files each second at most; one that is not good is told of, and what was in force before stays."""

    def __init__(self, *, installation: Path, workloads: Path, steady: Clock) -> None:
        """Read both; raise `DefinitionUnreadableError`, for without a first definition there is nothing to do."""
        self._installation = installation
        self._workloads = workloads
        self._steady = steady
        self._signature = self._signed()
        self._current = self._read()
        self._looked_at = steady()
        self.fault: str | None = None

    def current(self) -> Definition:
        """Return what is in force."""
        now = self._steady()
        if now - self._looked_at >= _LOOKED_AT_SECONDS:
            self._looked_at = now
            self._look()
        return self._current

    def _look(self) -> None:
        try:
            signature = self._signed()
            if signature == self._signature and self.fault is None:
                return
            current = self._read()
        except DefinitionUnreadableError as exc:
            if self.fault is None:
                log.warning("definition.unreadable", reason=str(exc))
            self.fault = str(exc)
            return
        if self.fault is not None or current != self._current:
            log.info("definition.changed")
        self._signature, self.fault = signature, None
        if current != self._current:
            self._current = current

    def _signed(self) -> _Signature:
        found: list[tuple[int, int, int]] = []
        for path in (self._installation, self._workloads):
            try:
                status = path.stat()
            except OSError as exc:
                raise DefinitionUnreadableError(str(path), exc.strerror or type(exc).__name__) from exc
            found.append((status.st_ino, status.st_mtime_ns, status.st_size))
        return tuple(found)

    def _read(self) -> Definition:
        try:
            installation = read_installation(_text(self._installation))
        except InvalidInstallationError as exc:
            raise DefinitionUnreadableError(str(self._installation), str(exc)) from exc
        try:
            workloads = read_workloads(_text(self._workloads))
        except WorkloadsInvalidError as exc:
            raise DefinitionUnreadableError(str(self._workloads), str(exc)) from exc
        return Definition(installation=installation, workloads=workloads)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise DefinitionUnreadableError(str(path), type(exc).__name__) from exc
