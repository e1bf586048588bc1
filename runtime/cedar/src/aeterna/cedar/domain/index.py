"""Which policies can apply to a request, found by looking up what it is about and never by going through them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from aeterna.cedar.domain.entity import Key
    from aeterna.cedar.domain.policy import Policy


class ScopeIndex:
    """Policies by their scope: by action, then principal, then resource.

    Cedar evaluates a policy's conditions only if its scope fits, so a policy that is not found here can neither
    determine a decision nor fail. Policies of equal scope share a bucket; one with a choice of actions is in several.
    """

    def __init__(self, policies: Iterable[tuple[int, Policy]], buckets: list[list[int]]) -> None:
        """Take policies with their numbers, and add to ``buckets``, which several indexes can share."""
        self._tree: dict[Key, dict[Key, dict[Key, int]]] = {}
        for number, policy in policies:
            for action in policy.action:
                resources = self._tree.setdefault(action, {}).setdefault(policy.principal, {})
                bucket = resources.setdefault(policy.resource, len(buckets))
                if bucket == len(buckets):
                    buckets.append([])
                buckets[bucket].append(number)

    def matching(
        self, principal: AbstractSet[Key], action: AbstractSet[Key], resource: AbstractSet[Key]
    ) -> Iterator[int]:
        """Yield the positions of the buckets whose scope fits a request with these keys, in no particular order."""
        for fitting_action in _fitting(self._tree, action):
            principals = self._tree[fitting_action]
            for fitting_principal in _fitting(principals, principal):
                resources = principals[fitting_principal]
                for fitting_resource in _fitting(resources, resource):
                    yield resources[fitting_resource]


def _fitting(indexed: Mapping[Key, object], asked: AbstractSet[Key]) -> Iterable[Key]:
    """Return the keys of both, going through the fewer: neither many policies nor deep hierarchies shall cost."""
    if len(indexed) < len(asked):
        return [key for key in indexed if key in asked]
    return [key for key in asked if key in indexed]
