"""The graph API: the one container that commits to and reads the Iceberg tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.platform.catalog import proofs, tables
from aeterna.platform.environment import prefixed, service
from aeterna.platform.names import GRAPH_API, PORTS, WORKLOADS_CONFIG, tls_secret
from aeterna.platform.priorities import SERVING
from aeterna.platform.program import Probed, Program
from aeterna.platform.serving import Part, Serving
from aeterna.platform.volumes import TLS, WORKLOADS, cluster_access, config, scratch, secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable

PREFIX = "AETERNA_API_"
STATE = "/var/lib/aeterna"
"""Where the image has TMPDIR: a compaction sorts there what does not fit into its memory."""


class GraphApi(Serving):
    """The graph API over the foundation's catalog and bucket."""

    def __init__(self, scope: Construct, id_: str, site: Site, *, after: Sequence[ITerraformDependable] = ()) -> None:
        part = Part(name=GRAPH_API, programs=(_program(site),), priority=SERVING)
        super().__init__(scope, id_, part, site=site, after=after)


def _program(site: Site) -> Program:
    return Program(
        name=GRAPH_API,
        image=site.image(GRAPH_API),
        resources=site.scale(GRAPH_API).resources,
        settings=prefixed(PREFIX, {**service(site), **tables(site, GRAPH_API)}),
        mounts=(
            scratch("tmp", "/tmp", "256Mi"),  # noqa: S108 - a volume of the pod's own
            scratch("state", STATE, "8Gi"),
            config("workloads", WORKLOADS, WORKLOADS_CONFIG),
            secret("tls", TLS, tls_secret(GRAPH_API)),
            *proofs(site),
            cluster_access(),
        ),
        ports={"https": PORTS[GRAPH_API]},
        probed=Probed(port=PORTS[GRAPH_API]),
    )
