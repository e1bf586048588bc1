"""Which node is in which community: what one run found, to be asked for as of any later moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aeterna.knowledge.domain.communities import CommunityId


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was found in the graph as of ``seq``: for each level, the coarsest first, the community of each node.

    ``drift`` is how many edges changed since communities were last found from nothing.
    """

    seq: int
    at: datetime
    levels: tuple[Mapping[str, CommunityId], ...]
    drift: int = 0
