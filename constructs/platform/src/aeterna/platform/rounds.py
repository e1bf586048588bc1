"""Rounds over every tenant's graph, which a scheduler starts: a graph that nobody has open is looked after as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.platform.catalog import proofs, tables
from aeterna.platform.environment import prefixed
from aeterna.platform.graph_api import PREFIX, STATE
from aeterna.platform.names import GRAPH_API
from aeterna.platform.program import Program
from aeterna.platform.sizing import Resources
from aeterna.platform.volumes import scratch

if TYPE_CHECKING:
    from aeterna.platform.site import Site

BACKUP: Final = "backup"
MAINTAIN: Final = "maintain"
_RESOURCES: Final = Resources(cpu="250m", most_cpu="2", memory="1Gi")
"""Of one tenant at a time: what a compaction sorts in, 512 MiB by default, and the program itself, some 300 MiB."""


def round_program(command: str, site: Site, *, within: int) -> Program:
    """Return the container of a round that gives up after ``within`` seconds, and says whom it did not reach."""
    return Program(
        name=command,
        image=site.image(GRAPH_API),
        resources=_RESOURCES,
        settings=prefixed(PREFIX, {**tables(site, GRAPH_API), "ROUND_TIMEOUT": str(within)}),
        args=(command,),
        mounts=(
            scratch("tmp", "/tmp", "64Mi"),  # noqa: S108 - a volume of the pod's own
            scratch("state", STATE, "8Gi"),
            *proofs(site),
        ),
    )
