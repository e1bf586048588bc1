"""Entities that a bundle keeps: who is in whom, and which of them a request can come to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import orjson

from aeterna.cedar.domain.recent import RecentlyUsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# A type and an id; plain tuples, which are equal to a Uid and which the garbage collector does not have to visit.
Key = tuple[str, ...]

_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntity:
    """An entity as Cedar's JSON writes it, not parsed, and the entities that it is directly in."""

    source: bytes
    parents: tuple[Key, ...]


class EntityStore:
    """The entities that count for somebody: their own, and those that count for all.

    Nothing is parsed before a request needs it: 10,000 parsed entities are 30 MB, and their JSON is a tenth of that.
    """

    def __init__(self, own: Mapping[Key, StoredEntity], shared: Mapping[Key, StoredEntity]) -> None:
        self._own = own
        self._shared = shared
        self._above: RecentlyUsed[Key, frozenset[Key]] = RecentlyUsed(_REMEMBERED)

    def __contains__(self, uid: Key) -> bool:
        return uid in self._own or uid in self._shared

    def get(self, uid: Key) -> StoredEntity | None:
        """Return the entity, or None."""
        return self._own.get(uid) or self._shared.get(uid)

    def above(self, uid: Key) -> frozenset[Key]:
        """Return the entity and everything that it is in, however far above, whether it is kept or not."""
        known = self._above.get(uid)
        if known is not None:
            return known
        found, open_ = set[Key](), [uid]
        while open_:
            current = open_.pop()
            if current not in found:
                found.add(current)
                entity = self.get(current)
                if entity is not None:
                    open_.extend(entity.parents)
        above = frozenset(found)
        self._above.put(uid, above)
        return above

    def reachable(self, roots: Iterable[Key], reach: int) -> list[bytes]:
        """Return what policies see that begin at these entities and go through as many of them as ``reach``."""
        found: dict[Key, bytes] = {}
        seen, level = set[Key](), set(roots)
        for step in range(reach, 0, -1):
            following = set[Key]()
            for uid in level - seen:
                entity = self.get(uid)
                if entity is None:
                    continue
                for above in self.above(uid):
                    if above not in found and (higher := self.get(above)) is not None:
                        found[above] = higher.source
                if step > 1:
                    following.update(references(orjson.loads(entity.source)))
            seen |= level
            level = following
            if not level:
                break
        return list(found.values())


def references(value: object) -> Iterator[Key]:
    """Yield whatever within a value of Cedar's JSON can be the uid of an entity, plainly or behind an escape."""
    open_ = [value]
    while open_:
        node = open_.pop()
        if isinstance(node, list):
            open_.extend(cast("list[object]", node))
        elif isinstance(node, dict):
            fields = cast("dict[str, object]", node)
            type_, id_ = fields.get("type"), fields.get("id")
            if isinstance(type_, str) and isinstance(id_, str):
                yield type_, id_
            open_.extend(fields.values())
