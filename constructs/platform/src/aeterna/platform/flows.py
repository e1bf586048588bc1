"""Who may speak to whom in the cluster: the one table that the network policies are made of.

``docs/architecture.md`` shows the same table to readers; a test holds the policies equal to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aeterna.contracts.injection.names import POLICY_HEALTH_PORT, SECRETS_HEALTH_PORT
from aeterna.platform import names
from aeterna.platform.names import INJECTOR_HEALTH_PORT, PORTS, RELAY_HEALTH_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.contracts.platform import PlatformSpec

AGENT_PORT: Final = 8090
CATALOG_PORT: Final = 8181
PUSH_PORT: Final = 8443
HTTPS: Final = 443
SSH: Final = 22
DNS: Final = 53
IDENTITY_PORT: Final = 80


class Party(StrEnum):
    """Who speaks or is spoken to."""

    GRAPH_API = names.GRAPH_API
    THREADS = names.THREADS
    POLICIES = names.POLICIES
    INJECTOR = names.INJECTOR
    OPAL = names.OPAL_SERVER
    JOBS = "jobs"
    CATALOG = "catalog"
    """A server of the Iceberg catalog that the customer runs in the platform's namespace, where the cloud has none."""
    AGENTS = "agents"
    """The pods of the tenants' namespaces."""
    TENANT = "agents of the same tenant"
    GATEWAY = "gateway"
    """The proxies of the Gateway, wherever they run."""
    PROMETHEUS = "Prometheus"
    CONTROL_PLANE = "control plane"
    """The Kubernetes API server, on its way to a webhook."""
    NAMES = "DNS"
    DATABASE = "database"
    CACHE = "cache"
    IDENTITY = "identity agent"
    """Where a node hands out tokens of the cloud, if it does."""
    COLLECTOR = "traces collector"
    ANYWHERE = "anywhere"
    """The Kubernetes API, the cloud's services, issuers, models, receivers: what has no fixed address."""


OF_THE_PLATFORM: Final = (
    Party.GRAPH_API,
    Party.THREADS,
    Party.POLICIES,
    Party.INJECTOR,
    Party.OPAL,
    Party.JOBS,
    Party.CATALOG,
)
"""The pods of the platform's own namespace."""
INSIDE: Final = frozenset({*OF_THE_PLATFORM, Party.AGENTS, Party.TENANT})
"""Whose pods have network policies here, so that a flow needs the leave of both ends."""


class Known(StrEnum):
    """A port that only the foundation knows."""

    DATABASE = "the database's"
    CACHE = "the cache's"


@dataclass(frozen=True, slots=True, order=True)
class Flow:
    """One direction of speech: who begins it, with whom, and at which port of whom."""

    source: Party
    target: Party
    port: int | Known
    protocol: str = "TCP"


def flows(spec: PlatformSpec, *, catalog: bool = False, tables: bool = False) -> tuple[Flow, ...]:
    """Return every flow that an installation has; whatever is not among them is refused.

    ``catalog`` says whether a catalog's server may be in the platform's namespace, and ``tables`` whether the graph API
    asks the database itself which snapshot is a table's newest.
    """
    parts = (_everybody(spec, catalog=catalog), _services(spec), _watching(spec), _opal(spec), _traces(spec))
    found = [flow for part in parts for flow in part]
    if catalog:
        found += [
            Flow(Party.GRAPH_API, Party.CATALOG, CATALOG_PORT),
            Flow(Party.CATALOG, Party.DATABASE, Known.DATABASE),
        ]
    if tables:
        found.append(Flow(Party.GRAPH_API, Party.DATABASE, Known.DATABASE))
    return tuple(dict.fromkeys(found))


def port_of(address: str) -> int:
    """Return the port that an address names, or its scheme's; ``user@host:path`` is git over SSH."""
    if "://" not in address:
        return SSH
    parts = urlsplit(address)
    return parts.port or {"http": 80, "ssh": SSH}.get(parts.scheme, HTTPS)


def present(spec: PlatformSpec, *, catalog: bool) -> tuple[Party, ...]:
    """Return whose pods run in the platform's namespace."""
    absent = {*(() if spec.opal is not None else (Party.OPAL,)), *(() if catalog else (Party.CATALOG,))}
    return tuple(party for party in OF_THE_PLATFORM if party not in absent)


def _everybody(spec: PlatformSpec, *, catalog: bool) -> Iterator[Flow]:
    everybody = (*present(spec, catalog=catalog), Party.AGENTS)
    for party in everybody:
        yield Flow(party, Party.NAMES, DNS, "UDP")
        yield Flow(party, Party.NAMES, DNS)
        yield Flow(party, Party.ANYWHERE, HTTPS)
    for party in (Party.GRAPH_API, Party.THREADS, Party.POLICIES, Party.INJECTOR):
        yield Flow(party, Party.ANYWHERE, spec.api_port)
    for party in everybody:
        if party is not Party.INJECTOR:
            yield Flow(party, Party.IDENTITY, IDENTITY_PORT)


def _services(spec: PlatformSpec) -> Iterator[Flow]:
    for service in (Party.GRAPH_API, Party.THREADS, Party.POLICIES):
        yield Flow(Party.GATEWAY, service, PORTS[service.value])
        yield Flow(Party.AGENTS, service, PORTS[service.value])
    if spec.opal is None:
        for fed in (Party.GRAPH_API, Party.THREADS, Party.POLICIES):
            yield Flow(fed, Party.POLICIES, PORTS[names.POLICIES])
    for party in (Party.THREADS, Party.POLICIES, Party.JOBS):
        yield Flow(party, Party.DATABASE, Known.DATABASE)
    yield Flow(Party.THREADS, Party.ANYWHERE, PUSH_PORT)
    yield Flow(Party.AGENTS, Party.TENANT, AGENT_PORT)
    yield Flow(Party.CONTROL_PLANE, Party.INJECTOR, PORTS[names.INJECTOR])


def _watching(spec: PlatformSpec) -> Iterator[Flow]:
    if not spec.monitoring:
        return
    for party in (Party.GRAPH_API, Party.THREADS, Party.POLICIES):
        yield Flow(Party.PROMETHEUS, party, PORTS[party.value])
        yield Flow(Party.PROMETHEUS, party, POLICY_HEALTH_PORT)
    yield Flow(Party.PROMETHEUS, Party.INJECTOR, INJECTOR_HEALTH_PORT)
    yield Flow(Party.PROMETHEUS, Party.AGENTS, POLICY_HEALTH_PORT)
    yield Flow(Party.PROMETHEUS, Party.AGENTS, SECRETS_HEALTH_PORT)
    if spec.opal is not None:
        yield Flow(Party.PROMETHEUS, Party.OPAL, RELAY_HEALTH_PORT)


def _opal(spec: PlatformSpec) -> Iterator[Flow]:
    if spec.opal is None:
        return
    fed = (Party.GRAPH_API, Party.THREADS, Party.POLICIES, Party.AGENTS)
    for party in fed:
        yield Flow(party, Party.OPAL, PORTS[names.OPAL_SERVER])
        if spec.opal.data_url is not None:
            yield Flow(party, Party.ANYWHERE, port_of(spec.opal.data_url))
    yield Flow(Party.OPAL, Party.CACHE, Known.CACHE)
    yield Flow(Party.OPAL, Party.ANYWHERE, port_of(spec.opal.repository))


def _traces(spec: PlatformSpec) -> Iterator[Flow]:
    if spec.traces is not None:
        for party in (Party.GRAPH_API, Party.THREADS, Party.POLICIES, Party.INJECTOR, Party.AGENTS):
            yield Flow(party, Party.COLLECTOR, port_of(spec.traces))
