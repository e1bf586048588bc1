"""No lease at all: for catalogs without a database of their own, where writers only find out that another was first."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from aeterna.graph.domain.identifiers import TenantId


class OptimisticWriterLeases:
    """`WriterLeases` that nobody waits for: the parent's compare-and-swap and retries with jitter do all the work."""

    @contextlib.contextmanager
    def holding(self, tenant: TenantId, *, not_below: int = 0) -> Generator[None]:
        """Go ahead at once."""
        del tenant, not_below
        yield None

    def close(self) -> None:
        """Give up nothing."""
