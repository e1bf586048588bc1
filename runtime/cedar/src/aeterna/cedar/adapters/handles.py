"""Parsed policies by the buckets that fit: one handle for a few that fit together, and some for each large bucket.

Parsing a policy costs 20 us and evaluating it 1 to 2, so policies are parsed together where that is done seldom, and a
bucket that fits many requests is never parsed again for each company it is found in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import cedarpy
import orjson

from aeterna.cedar.domain.entity import Key
from aeterna.cedar.domain.recent import RecentlyUsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.cedar.domain.policy import Policy

# What handles of policies that fit together may hold altogether: a bound on memory, of 3 to 5 KB for each policy.
_PARSED_POLICIES: Final = 4096
# Freeing a handle holds the interpreter for some 4 us for each of its policies.
_LARGEST_HANDLE: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When what is parsed is kept.

    Up to ``entities`` are kept parsed, at 3 KB for each, those of everybody counted again for each tenant; where there
    are more, each request has its slice of them parsed. Up to ``together`` policies that fit a request share a handle,
    but not with a bucket of at least ``large``, which has its own from the beginning.
    """

    entities: int = 4096
    together: int = 128
    large: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicable:
    """The policies that can apply to some requests, parsed, and how far they look."""

    handles: tuple[cedarpy.PolicySet, ...]
    reach: int
    literals: frozenset[Key]


class PolicyHandles:
    """Parses policies by buckets of their numbers, when they are first asked for; the large ones at once."""

    def __init__(self, policies: Sequence[Policy], buckets: Sequence[Sequence[int]], limits: Limits) -> None:
        self._policies = policies
        self._buckets = buckets
        self._limits = limits
        self._together: RecentlyUsed[tuple[int, ...], Applicable] = RecentlyUsed(_PARSED_POLICIES)
        self._alone: dict[int, Applicable] = {}
        for bucket, numbers in enumerate(buckets):
            if len(numbers) >= limits.large:
                self._bucket(bucket, release_gil=True)

    def of(self, buckets: list[int]) -> Applicable:
        """Return the policies of these buckets, which are sorted in place."""
        buckets.sort()
        key = tuple(buckets)
        known = self._together.get(key)
        if known is None:
            known, parsed = self._made(key)
            self._together.put(key, known, 1 + parsed)
        return known

    def forget_one(self) -> bool:
        """Forget some parsed policies, few enough to be freed at once, and say whether there were any."""
        if self._together.forget_one():
            return True
        if not self._alone:
            return False
        bucket, alone = self._alone.popitem()
        if alone.handles[1:]:
            self._alone[bucket] = replace(alone, handles=alone.handles[1:])
        return True

    def _made(self, buckets: tuple[int, ...]) -> tuple[Applicable, int]:
        """Return the policies of the buckets, and how many had to be parsed for them alone."""
        few = [bucket for bucket in buckets if len(self._buckets[bucket]) < self._limits.large]
        if sum(len(self._buckets[bucket]) for bucket in few) > self._limits.together:
            few = []
        parts = [self._bucket(bucket) for bucket in buckets if bucket not in few]
        together = self._of(few)
        # A request is checked against the schema even if no policy fits it.
        if together or not parts:
            parts.append(_applicable(together, [parsed_policies(together)]))
        return Applicable(
            handles=tuple(handle for part in parts for handle in part.handles),
            reach=max(part.reach for part in parts),
            literals=frozenset[Key]().union(*(part.literals for part in parts)),
        ), len(together)

    def _bucket(self, bucket: int, *, release_gil: bool = False) -> Applicable:
        known = self._alone.get(bucket)
        if known is None:
            policies = self._of([bucket])
            lots = [policies[start : start + _LARGEST_HANDLE] for start in range(0, len(policies), _LARGEST_HANDLE)]
            known = _applicable(policies, [parsed_policies(lot, release_gil=release_gil) for lot in lots])
            self._alone[bucket] = known
        return known

    def _of(self, buckets: Sequence[int]) -> list[Policy]:
        """Return policies in their order; one that is in several buckets is there once."""
        return [self._policies[number] for number in sorted({n for bucket in buckets for n in self._buckets[bucket]})]


def _applicable(policies: Sequence[Policy], handles: Sequence[cedarpy.PolicySet]) -> Applicable:
    return Applicable(
        handles=tuple(handles),
        reach=max((policy.reach for policy in policies), default=1),
        literals=frozenset[Key]().union(*(policy.literals for policy in policies)),
    )


def parsed_policies(policies: Sequence[Policy], *, release_gil: bool = False) -> cedarpy.PolicySet:
    """Return a handle on policies, each with its name as its id; raise ValueError for one that cannot be parsed."""
    named = ",".join(
        f"{orjson.dumps(policy.name).decode()}:{policy.source}" for policy in policies if policy.source is not None
    )
    document = '{"templates":{},"staticPolicies":{' + named + '},"templateLinks":[]}'
    handle = cedarpy.PolicySet.from_json_str(document, release_gil=release_gil)
    texts = "\n".join(policy.text for policy in policies if policy.source is None)
    return handle.with_added_str(texts) if texts else handle
