"""Whatever a pod of the platform is told to call, the table of flows lets it call."""

from __future__ import annotations

import json
import re

import pytest

from aeterna.platform.flows import HTTPS, Flow, Known, Party, flows
from aeterna.platform.names import PORTS
from fixtures.platform_documents import CLOUDS, Written, documents, workloads
from fixtures.platform_sites import OPAL, spec

ADDRESS = re.compile(r"https?://(?P<service>[a-z-]+)(?:\.[a-z-]+\.svc)?(?::(?P<port>\d+))?(?=[/\"?])")
"""A service of the cluster, as settings name it: with its namespace, or without where it is the pod's own."""
NEVER_CALLED = frozenset({"OPAL_AUTH_JWT_ISSUER", "OPAL_AUTH_JWT_AUDIENCE"})
"""Names that look like addresses."""
OUTSIDE = {"collector": Party.COLLECTOR, "kubernetes": Party.ANYWHERE}
"""Services that are not the platform's own; the API server's addresses are nobody's pods."""
STORES = {"_DSN": (Party.DATABASE, Known.DATABASE), "_CACHE_HOST": (Party.CACHE, Known.CACHE)}
"""Settings that lead to a store, by how their names end."""


def party(workload: Written) -> Party:
    """Return whom the table calls a workload's pods."""
    labels = workload.pod["metadata"]["labels"]  # type: ignore[index] - the pod is JSON
    return Party.JOBS if labels["app.kubernetes.io/component"] == "job" else Party(workload.name)


def told(workload: Written) -> set[tuple[Party, int | Known]]:
    """Return whom a workload's containers are told to call, and at which port."""
    found: set[tuple[Party, int | Known]] = set()
    for container in workload.containers("containers", "initContainers"):
        for variable in container.get("env", []):
            if variable["name"] in NEVER_CALLED:
                continue
            found |= {store for ending, store in STORES.items() if variable["name"].endswith(ending)}
            if str(variable.get("value")).startswith("postgresql://"):
                found.add(STORES["_DSN"])
            for address in ADDRESS.finditer(json.dumps(variable)):
                service = address["service"]
                found.add((OUTSIDE.get(service) or Party(service), int(address["port"] or PORTS.get(service, HTTPS))))
    return found


@pytest.mark.parametrize("kind", ["opal", "standard"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_whom_a_pod_is_told_to_call_it_may_call(cloud: str, kind: str) -> None:
    allowed = flows(spec(opal=OPAL if kind == "opal" else None), tables=cloud == "azure")
    written = workloads(documents()[f"{cloud}-{kind}"]).values()

    wanted = {Flow(party(workload), target, port) for workload in written for target, port in told(workload)}

    assert wanted - set(allowed) == set()
    assert Flow(Party.THREADS, Party.DATABASE, Known.DATABASE) in wanted, "no setting was understood"


@pytest.mark.parametrize("cloud", ["aws", "azure"])
def test_every_flow_to_a_store_is_of_somebody_who_is_told_of_it(cloud: str) -> None:
    """A permission that nobody uses is taken away."""
    written = workloads(documents()[f"{cloud}-opal"]).values()
    told_of = {(party(workload), target) for workload in written for target, _ in told(workload)}
    allowed = flows(spec(opal=OPAL), tables=cloud == "azure")
    stores = {(flow.source, flow.target) for flow in allowed if isinstance(flow.port, Known)}

    assert stores <= told_of
