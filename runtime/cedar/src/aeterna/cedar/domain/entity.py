"""Entities that a bundle keeps: who is in whom, and which of them a request can come to see."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from aeterna.cedar.domain.recent import RecentlyUsed
from aeterna.contracts.json_value import array_of, is_array, is_object, object_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# A type and an id; plain tuples, which are equal to a Uid and which the garbage collector does not have to visit.
Key = tuple[str, ...]

_REMEMBERED: Final = 4096
_FEW: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityTable:
    """Entities as Cedar's JSON, and for those that are in something what that is, directly.

    Nothing is parsed before a request needs it: 10,000 parsed entities are 30 MB, and their JSON is a tenth of that.
    """

    sources: Mapping[Key, str]
    parents: Mapping[Key, tuple[Key, ...]]


NO_ENTITIES: Final = EntityTable(sources={}, parents={})


class EntityStore:
    """The entities that count for somebody: their own, and those that count for all."""

    def __init__(self, own: EntityTable, shared: EntityTable) -> None:
        self._own = own
        self._shared = shared
        self._above: RecentlyUsed[Key, frozenset[Key]] = RecentlyUsed(_REMEMBERED)

    def __contains__(self, uid: Key) -> bool:
        return uid in self._own.sources or uid in self._shared.sources

    def attribute(self, uid: Key, name: str) -> object:
        """Return an attribute of an entity as it is kept, or None."""
        source = self._source(uid)
        if source is None:
            return None
        attributes = object_of(orjson.loads(source)).get("attrs")
        return attributes.get(name) if is_object(attributes) else None

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
                open_.extend(self._parents(current))
        above = frozenset(found)
        # Few steps are taken again faster than they are remembered.
        if len(above) > _FEW:
            self._above.put(uid, above)
        return above

    def reachable(self, roots: Iterable[Key], reach: int) -> list[str]:
        """Return what policies see that begin at these entities and go through as many of them as ``reach``.

        Of what is above an entity only that is needed which is in something itself: to be in an entity does not take
        that entity, but what it is in is written in it.
        """
        found: dict[Key, str] = {}
        seen, level = set[Key](), set(roots)
        for step in range(reach, 0, -1):
            following = set[Key]()
            for uid in level - seen:
                source = self._source(uid)
                if source is None:
                    continue
                found[uid] = source
                for above in self.above(uid):
                    if above not in found and self._parents(above) and (higher := self._source(above)) is not None:
                        found[above] = higher
                if step > 1:
                    entity = object_of(orjson.loads(source))
                    following.update(references([entity.get("attrs"), entity.get("tags")]))
            seen |= level
            level = following
            if not level:
                break
        return list(found.values())

    def _source(self, uid: Key) -> str | None:
        return self._own.sources.get(uid) or self._shared.sources.get(uid)

    def _parents(self, uid: Key) -> tuple[Key, ...]:
        return self._own.parents.get(uid) or self._shared.parents.get(uid) or ()


def uid_of(written: object) -> Key:
    """Return the uid of an entity as Cedar's JSON writes it, plainly or behind the escape ``__entity``."""
    plain = object_of(written)
    plain = object_of(plain.get("__entity", plain))
    # There are few types and many entities: one text for each type is enough.
    return sys.intern(str(plain["type"])), str(plain["id"])


def parents(entity: object) -> tuple[Key, ...]:
    """Return what an entity in Cedar's JSON is directly in."""
    return tuple(uid_of(parent) for parent in array_of(object_of(entity)["parents"]))


def references(value: object) -> Iterator[Key]:
    """Yield whatever within a value of Cedar's JSON can be the uid of an entity, plainly or behind an escape."""
    open_ = [value]
    while open_:
        node = open_.pop()
        if is_array(node):
            open_.extend(node)
        elif is_object(node):
            type_, id_ = node.get("type"), node.get("id")
            if isinstance(type_, str) and isinstance(id_, str):
                yield type_, id_
            open_.extend(node.values())
