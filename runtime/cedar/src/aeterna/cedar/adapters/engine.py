"""Decides by way of cedarpy, evaluating only the policies that can apply, over only the entities they can see.

A parsed handle costs 1 to 2 us per policy that it holds, whether or not that policy's scope fits the request. So each
set of policies that fits some request gets a handle of its own, and so does each slice of the stored entities.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cedarpy
import orjson

from aeterna.cedar.domain.entity import EntityStore, Key, references
from aeterna.cedar.domain.index import ScopeIndex
from aeterna.cedar.domain.policy import keys
from aeterna.cedar.domain.recent import RecentlyUsed
from aeterna.cedar.domain.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aeterna.cedar.adapters.handles import Applicable, PolicyHandles
    from aeterna.cedar.domain.request import BroughtEntity, Request, Uid

# What slices may hold altogether: a bound on memory, of about 1 KB for each entity, and what an empty slice counts for.
_PARSED_ENTITIES: Final = 8192
_SLICE_ITSELF: Final = 4
_KNOWN_KEYS: Final = 4096
_SHOWN_CHARS: Final = 300
_TENANT: Final = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """What counts for the requests of one tenant, or of nobody in particular.

    ``whole`` holds all entities of a store that is small enough to be kept parsed.
    """

    name: str | None
    indexes: tuple[ScopeIndex, ...]
    store: EntityStore
    whole: cedarpy.Entities | None


class CedarEngine:
    """Evaluates requests by one bundle; not for use by several threads at a time.

    Stricter than Cedar in one thing: Cedar skips a policy that fails to evaluate, and if that policy is a forbid, the
    permits it was to stop take effect. Here any error at all is a deny.
    """

    def __init__(
        self,
        schema: cedarpy.Schema,
        policies: PolicyHandles,
        realms: Mapping[str | None, Realm],
        actions: Mapping[Key, frozenset[Key]],
    ) -> None:
        """Take the realm of each tenant, and under None that of everybody else; ``actions`` are keys by action."""
        self._schema = schema
        self._policies = policies
        self._realms = realms
        self._everybody = realms[None]
        self._actions = actions
        self._slices: RecentlyUsed[tuple[str | None, int, frozenset[Key]], cedarpy.Entities] = RecentlyUsed(
            _PARSED_ENTITIES
        )
        self._keys: RecentlyUsed[tuple[str | None, Key], frozenset[Key]] = RecentlyUsed(_KNOWN_KEYS)

    def evaluate(self, request: Request) -> Verdict:
        """Return the verdict of the policies; an error of any kind is a deny that names it."""
        try:
            realm = self._realms.get(request.tenant, self._everybody)
            brought = _brought(request, realm.store)
            applicable = self._applicable(request, realm, brought)
            asked: dict[str, object] = {
                "principal": _cedar_uid(request.principal),
                "action": _cedar_uid(request.action),
                "resource": _cedar_uid(request.resource),
            }
            if request.context:
                asked["context"] = orjson.dumps(request.context).decode()
            entities = self._entities(request, realm, brought, applicable)
            results = [cedarpy.is_authorized(asked, handle, entities, self._schema) for handle in applicable.handles]
        except (ValueError, TypeError) as exc:
            # cedarpy's words for what it cannot parse, and ours below for what it must not be asked.
            return Verdict(allowed=False, errors=(str(exc)[:_SHOWN_CHARS],))
        return _verdict(results)

    def tenant_of(self, principal: Uid) -> str | None:
        """Return the tenant that everybody's entities say this one is of, or None."""
        tenant = self._everybody.store.attribute(principal, _TENANT)
        return tenant if isinstance(tenant, str) and tenant else None

    def retire(self) -> None:
        """Give up what was remembered, a little at a time: freeing thousands of parsed policies at once takes long."""
        for memory in (self._policies, self._slices, self._keys):
            while memory.forget_one():
                time.sleep(0)

    def _applicable(self, request: Request, realm: Realm, brought: Mapping[Key, BroughtEntity]) -> Applicable:
        """Return the policies whose scope fits the request."""
        principal = self._fitting(request.principal, realm, brought)
        action = self._actions.get(request.action) or keys(request.action, frozenset({request.action}))
        resource = self._fitting(request.resource, realm, brought)
        buckets = [bucket for index in realm.indexes for bucket in index.matching(principal, action, resource)]
        return self._policies.of(buckets)

    def _fitting(self, uid: Uid, realm: Realm, brought: Mapping[Key, BroughtEntity]) -> frozenset[Key]:
        """Return the keys of scopes that this principal or resource fits."""
        if brought:
            return keys(uid, _above(uid, realm.store, brought))
        known = self._keys.get((realm.name, uid))
        if known is None:
            known = keys(uid, realm.store.above(uid))
            self._keys.put((realm.name, uid), known)
        return known

    def _entities(
        self, request: Request, realm: Realm, brought: Mapping[Key, BroughtEntity], applicable: Applicable
    ) -> cedarpy.Entities:
        """Return the entities that these policies can see: those that the request brings, and of the stored a slice.

        A request that brings nothing is asked over the whole store where that is kept: evaluating costs the same
        however many entities there are, but adding to them costs in proportion.
        """
        if not brought and realm.whole is not None:
            return realm.whole
        roots = {request.principal, request.resource, *applicable.literals}
        for entity in request.brought:
            roots.update(entity.parents)
        if applicable.reach > 1:
            roots.update(references(request.context))
            for entity in request.brought:
                roots.update(references(entity.attributes))
                roots.update(references(entity.tags))
        stored = self._slice(realm, applicable.reach, frozenset(uid for uid in roots if uid in realm.store))
        if not brought:
            return stored
        delta = [_cedar_entity(entity) for entity in request.brought]
        return stored.with_added_json_str(orjson.dumps(delta).decode(), self._schema)

    def _slice(self, realm: Realm, reach: int, roots: frozenset[Key]) -> cedarpy.Entities:
        key = (realm.name, reach, roots)
        known = self._slices.get(key)
        if known is None:
            seen = realm.store.reachable(roots, reach)
            # With the schema, since that is what adds the actions and their groups, which all slices share.
            known = cedarpy.Entities.from_json_str(f"[{','.join(seen)}]", self._schema)
            self._slices.put(key, known, _SLICE_ITSELF + len(seen))
        return known


def _verdict(results: Sequence[cedarpy.AuthzResult]) -> Verdict:
    """Return what Cedar would have said of all policies at once: a forbid anywhere is stronger than any permit."""
    permitting = [result for result in results if result.decision is cedarpy.Decision.Allow]
    forbidding = [
        result for result in results if result.decision is not cedarpy.Decision.Allow and result.diagnostics.reasons
    ]
    errors = dict.fromkeys(error[:_SHOWN_CHARS] for result in results for error in result.diagnostics.errors)
    return Verdict(
        allowed=bool(permitting) and not forbidding and not errors,
        policies=tuple(sorted({name for result in forbidding or permitting for name in _names(result)})),
        errors=tuple(errors),
    )


def _names(result: cedarpy.AuthzResult) -> Iterable[str]:
    names = result.diagnostics.id_annotations_by_reason
    return (names.get(reason, reason) for reason in result.diagnostics.reasons)


def _brought(request: Request, store: EntityStore) -> Mapping[Key, BroughtEntity]:
    """Return what the request brings, or raise ValueError: what the bundle keeps is not the request's to describe."""
    for entity in request.brought:
        if entity.uid in store:
            raise ValueError(f"{entity.uid.type} of this id is kept in the bundle and cannot be described by a request")
    return {entity.uid: entity for entity in request.brought}


def _above(uid: Key, store: EntityStore, brought: Mapping[Key, BroughtEntity]) -> frozenset[Key]:
    """Return the entity and everything that it is in, by what is stored and what the request brings together."""
    found, open_ = set[Key](), [uid]
    while open_:
        current = open_.pop()
        if current in found:
            continue
        found.add(current)
        entity = brought.get(current)
        if entity is not None:
            open_.extend(entity.parents)
            continue
        above = store.above(current)
        # A stored entity can be in one that only the request describes.
        open_.extend(further for further in above if further in brought)
        found.update(further for further in above if further not in brought)
    return frozenset(found)


def _cedar_entity(entity: BroughtEntity) -> Mapping[str, object]:
    return {
        "uid": _cedar_uid(entity.uid),
        "attrs": entity.attributes,
        "parents": [_cedar_uid(parent) for parent in entity.parents],
        "tags": entity.tags,
    }


def _cedar_uid(uid: Uid) -> dict[str, str]:
    return {"type": uid.type, "id": uid.id}
