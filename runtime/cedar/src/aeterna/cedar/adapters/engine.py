"""Decides by way of cedarpy, evaluating only the policies that can apply, over only the entities they can see.

A parsed handle costs 1 to 2 us per policy that it holds, whether or not that policy's scope fits the request. So each
set of policies that fits some request gets a handle of its own, and so does each slice of the stored entities.
"""

# pyright: reportUnknownMemberType=false
# cedarpy types its dictionaries as bare `dict`; what comes out of them is given its type here, at the edge.

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import cedarpy
import orjson

from aeterna.cedar.domain.entity import EntityStore, Key, references
from aeterna.cedar.domain.index import ScopeIndex
from aeterna.cedar.domain.policy import Policy, keys
from aeterna.cedar.domain.recent import RecentlyUsed
from aeterna.cedar.domain.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.cedar.domain.request import BroughtEntity, Request, Uid

# What handles may hold altogether, in policies and in entities: a bound on memory, of some KB for each.
_PARSED_POLICIES: Final = 4096
_PARSED_ENTITIES: Final = 4096
_KNOWN_KEYS: Final = 4096
_SHOWN_CHARS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """What counts for the requests of one tenant, or of nobody in particular.

    ``whole`` holds all entities of a store that is small enough to be kept parsed.
    """

    name: str | None
    indexes: tuple[ScopeIndex, ...]
    store: EntityStore
    whole: cedarpy.Entities | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBook:
    """All policies of a bundle by their number, and the buckets of numbers that the indexes refer to."""

    policies: Sequence[Policy]
    buckets: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidates:
    """The policies that can apply to some requests, parsed, and how far they look."""

    handle: cedarpy.PolicySet
    reach: int
    literals: frozenset[Key]


class CedarEngine:
    """Evaluates requests by one bundle; not for use by several threads at a time.

    Stricter than Cedar in one thing: Cedar skips a policy that fails to evaluate, and if that policy is a forbid, the
    permits it was to stop take effect. Here any error at all is a deny.
    """

    def __init__(
        self,
        schema: cedarpy.Schema,
        book: PolicyBook,
        realms: Mapping[str | None, Realm],
        actions: Mapping[Key, frozenset[Key]],
    ) -> None:
        """Take the realm of each tenant, and under None that of everybody else; ``actions`` are keys by action."""
        self._schema = schema
        self._book = book
        self._realms = realms
        self._everybody = realms[None]
        self._actions = actions
        self._candidates: RecentlyUsed[tuple[int, ...], _Candidates] = RecentlyUsed(_PARSED_POLICIES)
        self._slices: RecentlyUsed[tuple[str | None, int, frozenset[Key]], cedarpy.Entities] = RecentlyUsed(
            _PARSED_ENTITIES
        )
        self._keys: RecentlyUsed[tuple[str | None, Key], frozenset[Key]] = RecentlyUsed(_KNOWN_KEYS)

    def evaluate(self, request: Request) -> Verdict:
        """Return the verdict of the policies; an error of any kind is a deny that names it."""
        try:
            realm = self._realms.get(request.tenant, self._everybody)
            brought = _brought(request, realm.store)
            candidates = self._applicable(request, realm, brought)
            asked: dict[str, object] = {
                "principal": _cedar_uid(request.principal),
                "action": _cedar_uid(request.action),
                "resource": _cedar_uid(request.resource),
            }
            if request.context:
                asked["context"] = orjson.dumps(request.context).decode()
            result = cedarpy.is_authorized(
                asked, candidates.handle, self._entities(request, realm, brought, candidates), self._schema
            )
        except (ValueError, TypeError) as exc:
            # cedarpy's words for what it cannot parse, and ours below for what it must not be asked.
            return Verdict(allowed=False, errors=(str(exc)[:_SHOWN_CHARS],))
        diagnostics = result.diagnostics
        names = cast("Mapping[str, str]", diagnostics.id_annotations_by_reason)
        errors = tuple(error[:_SHOWN_CHARS] for error in diagnostics.errors)
        return Verdict(
            allowed=result.decision is cedarpy.Decision.Allow and not errors,
            policies=tuple(sorted(names.get(reason, reason) for reason in diagnostics.reasons)),
            errors=errors,
        )

    def retire(self) -> None:
        """Give up what was remembered, a little at a time: freeing thousands of parsed policies at once takes long."""
        for memory in (self._candidates, self._slices, self._keys):
            while memory.forget_one():
                time.sleep(0)

    def _applicable(self, request: Request, realm: Realm, brought: Mapping[Key, BroughtEntity]) -> _Candidates:
        """Return the policies whose scope fits the request."""
        principal = self._fitting(request.principal, realm, brought)
        action = self._actions.get(request.action) or keys(request.action, frozenset({request.action}))
        resource = self._fitting(request.resource, realm, brought)
        buckets = [bucket for index in realm.indexes for bucket in index.matching(principal, action, resource)]
        buckets.sort()
        key = tuple(buckets)
        known = self._candidates.get(key)
        if known is None:
            known = self._parsed(key)
            self._candidates.put(key, known, 1 + len(known.handle))
        return known

    def _fitting(self, uid: Uid, realm: Realm, brought: Mapping[Key, BroughtEntity]) -> frozenset[Key]:
        """Return the keys of scopes that this principal or resource fits."""
        if brought:
            return keys(uid, _above(uid, realm.store, brought))
        known = self._keys.get((realm.name, uid))
        if known is None:
            known = keys(uid, realm.store.above(uid))
            self._keys.put((realm.name, uid), known)
        return known

    def _parsed(self, buckets: tuple[int, ...]) -> _Candidates:
        """Parse the policies of these buckets; each is called by its name, as reasons and errors then are."""
        numbers = sorted({number for bucket in buckets for number in self._book.buckets[bucket]})
        policies = [self._book.policies[number] for number in numbers]
        return _Candidates(
            handle=parsed_policies(policies),
            reach=max((policy.reach for policy in policies), default=1),
            literals=frozenset[Key]().union(*(policy.literals for policy in policies)),
        )

    def _entities(
        self, request: Request, realm: Realm, brought: Mapping[Key, BroughtEntity], candidates: _Candidates
    ) -> cedarpy.Entities:
        """Return the entities that these policies can see: those that the request brings, and of the stored a slice.

        A request that brings nothing is asked over the whole store where that is kept: evaluating costs the same
        however many entities there are, but adding to them costs in proportion.
        """
        if not brought and realm.whole is not None:
            return realm.whole
        roots = {request.principal, request.resource, *candidates.literals}
        for entity in request.brought:
            roots.update(entity.parents)
        if candidates.reach > 1:
            roots.update(references(request.context))
            for entity in request.brought:
                roots.update(references(entity.attributes))
                roots.update(references(entity.tags))
        stored = self._slice(realm, candidates.reach, frozenset(uid for uid in roots if uid in realm.store))
        if not brought:
            return stored
        delta = [_cedar_entity(entity) for entity in request.brought]
        return stored.with_added_json_str(orjson.dumps(delta).decode(), self._schema)

    def _slice(self, realm: Realm, reach: int, roots: frozenset[Key]) -> cedarpy.Entities:
        key = (realm.name, reach, roots)
        known = self._slices.get(key)
        if known is None:
            text = f"[{','.join(realm.store.reachable(roots, reach))}]"
            # With the schema, since that is what adds the actions and their groups.
            known = cedarpy.Entities.from_json_str(text, self._schema)
            self._slices.put(key, known, 1 + len(known))
        return known


def parsed_policies(policies: Sequence[Policy], *, release_gil: bool = False) -> cedarpy.PolicySet:
    """Return a handle on policies, each with its name as its id; raise ValueError for one that cannot be parsed."""
    named = ",".join(
        f"{orjson.dumps(policy.name).decode()}:{policy.source}" for policy in policies if policy.source is not None
    )
    document = '{"templates":{},"staticPolicies":{' + named + '},"templateLinks":[]}'
    handle = cedarpy.PolicySet.from_json_str(document, release_gil=release_gil)
    texts = "\n".join(policy.text for policy in policies if policy.source is None)
    return handle.with_added_str(texts) if texts else handle


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
