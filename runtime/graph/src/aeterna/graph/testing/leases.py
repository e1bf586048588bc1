"""Leases in memory, for processes that a test plays in one."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.errors import WriterFencedError

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclass(slots=True)
class _Held:
    epoch: int = 0
    holder: object = None
    busy: bool = False


@dataclass(slots=True)
class SharedLeases:
    """What all processes see: who holds which tenant."""

    held: defaultdict[TenantId, _Held] = field(default_factory=lambda: defaultdict(_Held))
    changed: threading.Condition = field(default_factory=threading.Condition)


class MemoryWriterLeases:
    """One process's `WriterLeases`. Another's lease is taken over as soon as no commit is under way."""

    def __init__(self, shared: SharedLeases | None = None) -> None:
        """Give two of them the same ``shared``, and they take turns."""
        self._shared = shared or SharedLeases()

    @contextlib.contextmanager
    def holding(self, tenant: TenantId, *, not_below: int = 0) -> Generator[int | None]:
        """Wait for the lease, hold it for one commit, and give its epoch."""
        with self._shared.changed:
            held = self._shared.held[tenant]
            self._shared.changed.wait_for(lambda: not held.busy)
            if held.holder is not self or held.epoch < not_below:
                held.epoch, held.holder = max(held.epoch, not_below) + 1, self
            held.busy = True
            epoch = held.epoch
        try:
            yield epoch
        except WriterFencedError:
            held.holder = None
            raise
        finally:
            with self._shared.changed:
                held.busy = False
                self._shared.changed.notify_all()

    def close(self) -> None:
        """Give up every lease."""
        with self._shared.changed:
            for held in self._shared.held.values():
                if held.holder is self:
                    held.holder = None

    def steal(self, tenant: TenantId) -> None:
        """Take the lease from whoever has it, as happens to a process that seemed dead."""
        with self._shared.changed:
            held = self._shared.held[tenant]
            held.epoch, held.holder, held.busy = held.epoch + 1, None, False
            self._shared.changed.notify_all()
