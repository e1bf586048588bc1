"""Network policies: in the platform's and the tenants' namespaces nothing speaks but by the table of flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

from constructs import Construct

from aeterna.platform.catalog import in_database
from aeterna.platform.flows import OF_THE_PLATFORM, Flow, Known, Party, flows, present
from aeterna.platform.l1.kubernetes.network_policy_v1 import KubernetesNetworkPolicyV1
from aeterna.platform.names import COMPONENT, NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aeterna.contracts.foundation import FoundationOutputs
    from aeterna.contracts.late import Late
    from aeterna.contracts.platform import PlatformSpec, TenantSpec
    from aeterna.platform.site import Site

Block: TypeAlias = Any  # a block of a policy, whose form its binding knows and the tests read again
Rules: TypeAlias = tuple[list[Block], list[Block]]
"""Who may come in, and where to go."""

NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
"""Set by the API server itself, so that nobody gives another namespace the name of one that is trusted."""
SYSTEM: Final = "kube-system"
NODE_LOCAL_NAMES: Final = "169.254.20.10/32"
"""Where a cache of names on the node listens, if there is one (Kubernetes' NodeLocal DNSCache)."""
EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""Where stores are (RFC 1918): not every cloud puts them into the network's own block."""
IN_CLUSTER: Final = "svc"
CATALOG_IDENTITY: Final = "catalog"
"""What a foundation makes only where the cloud has no catalog, for a server of the customer's own in the cluster."""


class Network(Construct):
    """Default-deny of both directions in each namespace, and a policy that lets through the flows of each party.

    - ``namespaces`` are the names of the platform's and the tenants' namespaces, as attributes of their resources, so
      that a policy is made after its namespace.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        site: Site,
        namespaces: Mapping[str, Late],
    ) -> None:
        super().__init__(scope, id_)
        spec, peers = site.spec, _Peers(site)
        catalog = CATALOG_IDENTITY in site.foundation.identities
        allowed = flows(spec, catalog=catalog, tables=in_database(site))
        own = Construct(self, spec.namespace)
        _deny(own, namespaces[spec.namespace])
        for party in present(spec, catalog=catalog):
            _allow(own, party, namespaces[spec.namespace], _pods(party), peers.rules(party, allowed))
        for tenant in spec.tenants:
            for namespace in tenant.namespaces:
                theirs = Construct(self, namespace)
                _deny(theirs, namespaces[namespace])
                rules = peers.rules(Party.AGENTS, allowed, tenant)
                _allow(theirs, Party.AGENTS, namespaces[namespace], {}, rules)


def _deny(scope: Construct, namespace: Late) -> None:
    KubernetesNetworkPolicyV1(
        scope,
        "DefaultDeny",
        metadata={"name": "default-deny", "namespace": namespace},
        spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
    )


def _allow(scope: Construct, party: Party, namespace: Late, pods: Block, rules: Rules) -> None:
    ingress, egress = rules
    KubernetesNetworkPolicyV1(
        scope,
        party.value,
        metadata={"name": party.value, "namespace": namespace},
        spec={
            "pod_selector": pods,
            "policy_types": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        },
    )


def _pods(party: Party) -> Block:
    """Return what selects a party's pods in the platform's namespace."""
    if party is Party.JOBS:
        return {"match_labels": {COMPONENT: "job"}}
    return {"match_labels": {NAME: party.value}}


class _Peers:
    """What the ends of flows are in one cluster."""

    def __init__(self, site: Site) -> None:
        spec, foundation = site.spec, site.foundation
        self._spec = spec
        self._outside = _outside(spec, foundation)
        self._ports = {Known.DATABASE: foundation.database.port, Known.CACHE: foundation.cache.port}

    def rules(self, party: Party, allowed: Sequence[Flow], tenant: TenantSpec | None = None) -> Rules:
        """Return the rules of a party's policy: those of who comes in, and those of where it goes."""
        coming = [flow for flow in allowed if flow.target is party]
        within = [flow for flow in allowed if flow.target is Party.TENANT and party is Party.AGENTS]
        going = [flow for flow in allowed if flow.source is party]
        ingress = [self._rule("from", flow, flow.source, None) for flow in coming]
        ingress += [self._rule("from", flow, Party.TENANT, tenant) for flow in within]
        egress = [self._rule("to", flow, flow.target, tenant) for flow in going]
        return [rule for rule in ingress if rule["from"]], [rule for rule in egress if rule["to"]]

    def _rule(self, direction: str, flow: Flow, other: Party, tenant: TenantSpec | None) -> Block:
        port = self._ports[flow.port] if isinstance(flow.port, Known) else str(flow.port)
        return {direction: self._ends(other, tenant), "ports": [{"port": port, "protocol": flow.protocol}]}

    def _ends(self, party: Party, tenant: TenantSpec | None) -> list[Block]:
        if party is Party.TENANT:
            return [] if tenant is None else _in(tenant.namespaces)
        if party in OF_THE_PLATFORM:
            return [{"namespace_selector": _namespaces((self._spec.namespace,)), "pod_selector": _pods(party)}]
        return self._outside[party]


def _outside(spec: PlatformSpec, foundation: FoundationOutputs) -> dict[Party, list[Block]]:
    """Return where everybody is who is no pod of the platform's own namespace."""
    return {
        Party.AGENTS: _in(namespace for each in spec.tenants for namespace in each.namespaces),
        Party.GATEWAY: [*_in(spec.gateway.proxies or (spec.namespace,)), *_at(spec.gateway.blocks)],
        Party.PROMETHEUS: _in((spec.prometheus,)),
        # Straight from the network, or through the tunnel whose agents are pods of the system.
        Party.CONTROL_PLANE: [*_at((foundation.network.cidr,)), *_in((SYSTEM,))],
        Party.NAMES: [*_in((SYSTEM,)), *_at((NODE_LOCAL_NAMES,))],
        Party.DATABASE: _at(PRIVATE),
        Party.CACHE: _at(PRIVATE),
        Party.IDENTITY: _at(foundation.cluster.identity_blocks),
        Party.COLLECTOR: _collector(spec.traces or ""),
        Party.ANYWHERE: _at(EVERYWHERE),
    }


def _collector(address: str) -> list[Block]:
    """Return the namespace of a collector in the cluster, or that it may be anywhere."""
    labels = (urlsplit(address).hostname or "").split(".")
    return _in((labels[1],)) if labels[2:3] == [IN_CLUSTER] else _at(EVERYWHERE)


def _namespaces(names: Iterable[str]) -> Block:
    return {"match_expressions": [{"key": NAMESPACE_LABEL, "operator": "In", "values": sorted(set(names))}]}


def _in(names: Iterable[str]) -> list[Block]:
    """Return every pod of some namespaces."""
    found = sorted(set(names))
    return [{"namespace_selector": _namespaces(found)}] if found else []


def _at(blocks: Iterable[str]) -> list[Block]:
    return [{"ip_block": {"cidr": block}} for block in blocks]
