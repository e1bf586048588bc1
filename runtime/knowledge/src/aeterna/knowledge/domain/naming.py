"""Names of communities that outlive a run: a community keeps the name of the earlier one that it has most nodes of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from aeterna.knowledge.domain.communities import CommunityId, Ints
from aeterna.knowledge.domain.hierarchies import carried

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from aeterna.knowledge.domain.communities import Hierarchy

_NAME_BYTES: Final = 12  # of a digest: that two of a million names agree is less likely than 1 in 10^16
_PREFIX: Final = "community:"
_NO_SUCH: Final = -2  # not -1, which is a node that is not there


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedLevel:
    """The ``names`` of a level's communities, and for each node the place of its community among them."""

    names: tuple[CommunityId, ...]
    community: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Membership:
    """Which community each node is in, at each level, the coarsest first. No name is used on two levels."""

    ids: tuple[str, ...]
    levels: tuple[NamedLevel, ...]

    @classmethod
    def of(cls, ids: tuple[str, ...], levels: Sequence[Mapping[str, CommunityId]]) -> Membership:
        """Return the membership of nodes, each of which is in every level."""
        found: list[NamedLevel] = []
        for level in levels:
            places = {name: place for place, name in enumerate(dict.fromkeys(level[node] for node in ids))}
            community = np.fromiter((places[level[node]] for node in ids), dtype=np.int64, count=len(ids))
            found.append(NamedLevel(names=tuple(places), community=community))
        return cls(ids=ids, levels=tuple(found))

    def mappings(self) -> tuple[Mapping[str, CommunityId], ...]:
        """Return the community of each node, for each level."""
        return tuple(
            dict(zip(self.ids, map(level.names.__getitem__, level.community.tolist()), strict=True))
            for level in self.levels
        )


class Belonging(NamedTuple):
    """That a node is in a community of a level."""

    level: int
    node: str
    community: CommunityId


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipChanges:
    """What the recorded ranges of a membership need: those that end with this run, and those that begin."""

    ended: tuple[Belonging, ...]
    begun: tuple[Belonging, ...]


def named(hierarchy: Hierarchy, ids: tuple[str, ...], previous: Membership | None, *, seq: int) -> Membership:
    """Name the communities of a graph whose newest session has ``seq``.

    At each level, the earlier and the present community that share most nodes share the name, then the next two. A
    new name is made of ``seq``, the level and the first node, so that none is ever used for two communities.
    """
    levels: list[NamedLevel] = []
    taken: set[CommunityId] = set() if previous is None else {name for level in previous.levels for name in level.names}
    for number, level in enumerate(hierarchy.levels):
        count = int(level.community.max(initial=-1)) + 1
        before = previous.levels[number] if previous is not None and number < len(previous.levels) else None
        heirs: dict[int, CommunityId] = {}
        if previous is not None and before is not None:
            labels = carried(previous.ids, before.community, ids)
            heirs = {now: before.names[then] for now, then in _heirs(labels, level.community, count).items()}
        firsts: list[int] = _firsts(level.community, count).tolist()
        names = tuple(
            heirs[community] if community in heirs else _new_name(seq, number, ids[first], taken)
            for community, first in enumerate(firsts)
        )
        levels.append(NamedLevel(names=names, community=level.community))
    return Membership(ids=ids, levels=tuple(levels))


def changes(previous: Membership | None, now: Membership) -> MembershipChanges:
    """Return what a run ends and begins: nothing for a node that is where it was."""
    before = previous or Membership(ids=(), levels=())
    return MembershipChanges(ended=_missing(before, now), begun=_missing(now, before))


def _missing(of: Membership, others: Membership) -> tuple[Belonging, ...]:
    """Return what is in one membership and not in the other."""
    found: list[Belonging] = []
    for number, level in enumerate(of.levels):
        places = np.arange(len(of.ids))
        if number < len(others.levels):
            other = others.levels[number]
            codes = {name: code for code, name in enumerate(other.names)}
            same = np.array([codes.get(name, _NO_SUCH) for name in level.names], dtype=np.int64)
            places = np.flatnonzero(same[level.community] != carried(others.ids, other.community, of.ids))
        found.extend(
            Belonging(number, of.ids[place], level.names[community])
            for place, community in zip(places.tolist(), level.community[places].tolist(), strict=True)
        )
    return tuple(found)


def _heirs(then: Ints, now: Ints, count: int) -> dict[int, int]:
    """Return for present communities the earlier ones whose names they keep, by the number of nodes they share."""
    known = then >= 0
    pairs, shared = np.unique(then[known] * count + now[known], return_counts=True)
    # The same for the same communities: ties go to the earlier, then to the present one of the lower number.
    order = np.lexsort((pairs, -shared))
    heirs: dict[int, int] = {}
    taken: set[int] = set()
    for pair in pairs[order].tolist():
        earlier, present = divmod(pair, count)
        if earlier not in taken and present not in heirs:
            heirs[present] = earlier
            taken.add(earlier)
    return heirs


def _firsts(community: Ints, count: int) -> Ints:
    firsts = np.empty(count, dtype=np.int64)
    firsts[community[::-1]] = np.arange(len(community))[::-1]
    return firsts


def _new_name(seq: int, level: int, first: str, taken: AbstractSet[CommunityId]) -> CommunityId:
    # Communities of a level have no node in common. A name is taken where the same seq was looked at twice.
    attempt = 0
    while True:
        digest = hashlib.blake2b(f"{seq}\0{level}\0{attempt}\0{first}".encode(), digest_size=_NAME_BYTES)
        name = CommunityId(_PREFIX + digest.hexdigest())
        if name not in taken:
            return name
        attempt += 1
