"""Notices between graphs of one process, as if they were processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.graph.domain.identifiers import TenantId


class NoticeBoard:
    """What all `MemoryNotices` of a test are connected to; ``lost`` makes it forget what is published."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[TenantId, int], None]] = []
        self.published: list[tuple[TenantId, int]] = []
        self.lost = False


class MemoryNotices:
    """`Notices` of one process, told at once and in the publisher's thread."""

    def __init__(self, board: NoticeBoard) -> None:
        self._board = board
        self._own: list[Callable[[TenantId, int], None]] = []

    def publish(self, tenant: TenantId, seq: int) -> None:
        """See `Notices.publish`."""
        self._board.published.append((tenant, seq))
        if not self._board.lost:
            for listener in list(self._board.listeners):
                listener(tenant, seq)

    def subscribe(self, listener: Callable[[TenantId, int], None]) -> None:
        """See `Notices.subscribe`."""
        self._own.append(listener)
        self._board.listeners.append(listener)

    def close(self) -> None:
        """See `Notices.close`."""
        for listener in self._own:
            self._board.listeners.remove(listener)
        self._own.clear()
