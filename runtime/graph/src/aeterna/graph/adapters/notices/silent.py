"""No notices: replicas find commits by looking at the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.graph.domain.identifiers import TenantId


class SilentNotices:
    """`Notices` of which every one is lost."""

    def publish(self, tenant: TenantId, seq: int) -> None:
        """See `Notices.publish`."""

    def subscribe(self, listener: Callable[[TenantId, int], None]) -> None:
        """See `Notices.subscribe`."""

    def close(self) -> None:
        """See `Notices.close`."""
