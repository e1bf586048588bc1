"""Large parts in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.threads.errors import ObjectsUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.removal import ObjectKey


class FakeObjectStore:
    """An `ObjectStore` in memory; ``available`` switches it off, ``kept`` holds the contents by path."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.available = True

    async def put(self, key: ObjectKey, content: bytes) -> None:
        """See `ObjectStore.put`."""
        self._require()
        self.kept[key.path] = content

    async def get(self, key: ObjectKey) -> bytes | None:
        """See `ObjectStore.get`."""
        self._require()
        return self.kept.get(key.path)

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        """See `ObjectStore.delete`."""
        self._require()
        for key in keys:
            self.kept.pop(key.path, None)

    def _require(self) -> None:
        if not self.available:
            raise ObjectsUnavailableError


class FakeObjectLedger:
    """An `ObjectLedger` in memory; ``noted`` holds the keys in the order in which they were noted."""

    def __init__(self) -> None:
        self.noted: list[ObjectKey] = []

    async def note(self, tenant: TenantId, keys: Sequence[ObjectKey]) -> None:
        """See `ObjectLedger.note`."""
        self.noted.extend(key for key in keys if key.tenant == tenant)
