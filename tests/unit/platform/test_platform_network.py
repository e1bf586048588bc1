"""The network policies let through exactly the flows of the architecture page, at both ends, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from aeterna.contracts.identity import IdentityOutputs
from aeterna.contracts.late import Late
from aeterna.contracts.platform import GatewaySpec, OpalSpec
from aeterna.platform.flows import port_of
from aeterna.platform.l1.kubernetes.provider import KubernetesProvider
from aeterna.platform.network import EVERYWHERE, NODE_LOCAL_NAMES, PRIVATE, Network
from aeterna.synth import testing
from aeterna.synth.app import TerraformStack
from fixtures.platform_sites import (
    CACHE_PORT,
    DATABASE_PORT,
    IDENTITY_AGENT,
    NETWORK,
    OPAL,
    foundation,
    site,
)
from fixtures.platform_sites import spec as platform_spec
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.contracts.platform import PlatformSpec
    from aeterna.platform.site import Site

Json: TypeAlias = Any  # a policy in Terraform's JSON
Row: TypeAlias = tuple[str, str, str]
"""From, to, and the port with its protocol."""
Place: TypeAlias = tuple[str, ...]
"""Pods of a part, whole namespaces, or a block of addresses."""

TENANTS = {"acme-blue": "acme", "acme-green": "acme", "umbrella": "umbrella"}
PORTS = {DATABASE_PORT: "the database's", CACHE_PORT: "the cache's"}
BOTH = re.compile(r"<!-- flows: begin -->\n(?P<rows>.*?)<!-- flows: end -->", re.DOTALL)
OPAL_ROWS = "with OPAL"
NO_OPAL_ROWS = "without OPAL"
CATALOG_ROWS = "with a catalog server"
TABLES_ROWS = "with the catalog in the database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One network policy: where it holds, of which pods, and what it lets in and out."""

    namespace: str
    pods: Mapping[str, str]
    ingress: tuple[tuple[str, str], ...]
    """Who may come, as the page calls them, and to which port."""
    egress: tuple[tuple[str, str], ...]
    types: frozenset[str]

    @property
    def denies_everything(self) -> bool:
        return not self.pods and not self.ingress and not self.egress and self.types == frozenset({"Ingress", "Egress"})

    @property
    def party(self) -> str:
        """Return whose pods it is about, as the page calls them."""
        if self.namespace in TENANTS:
            return "agents"
        return "jobs" if "app.kubernetes.io/component" in self.pods else self.pods["app.kubernetes.io/name"]


def documented(*, opal: bool, catalog: bool = False, tables: bool = False) -> set[Row]:
    """Return the rows of the page's table that an installation of this kind has."""
    found = BOTH.search((ROOT / "docs" / "architecture.md").read_text("utf-8"))
    assert found is not None
    rows: set[Row] = set()
    for line in found["rows"].splitlines()[2:]:
        sources, targets, ports, when, why = (cell.strip() for cell in line.strip("|").split("|"))
        assert why, line
        absent = {NO_OPAL_ROWS if opal else OPAL_ROWS, *(() if catalog else (CATALOG_ROWS,))}
        if when in absent or (when == TABLES_ROWS and not tables):
            continue
        rows |= {
            (source, target, port)
            for source in sources.split(", ")
            for target in targets.split(", ")
            for port in ports.split(", ")
        }
    return rows


def policies(where: Site, **namespaces: str) -> list[Policy]:
    stack = TerraformStack(testing.app(), "platform")
    KubernetesProvider(stack, "kubernetes")
    names = {where.namespace: Late(where.namespace), **{name: Late(name) for name in TENANTS}}
    Network(stack, "Network", site=where, namespaces=names | {key: Late(name) for key, name in namespaces.items()})
    written = testing.synthesized(stack).resources("kubernetes_network_policy_v1")
    return [read(policy, where.spec) for policy in written.values()]


def read(policy: Json, spec: PlatformSpec) -> Policy:
    namespace = policy["metadata"]["namespace"]
    said = policy["spec"]
    return Policy(
        namespace=namespace,
        pods=said["pod_selector"].get("match_labels", {}),
        ingress=tuple(_rules(said.get("ingress", []), "from", namespace, spec)),
        egress=tuple(_rules(said.get("egress", []), "to", namespace, spec)),
        types=frozenset(said["policy_types"]),
    )


def _rules(rules: list[Json], way: str, namespace: str, spec: PlatformSpec) -> Iterator[tuple[str, str]]:
    for rule in rules:
        assert rule[way], "a rule without peers lets everybody through"
        assert rule["ports"], "a rule without ports lets every port through"
        for port in rule["ports"]:
            yield _name(rule[way], namespace, spec), _port(port)


def _port(port: Json) -> str:
    number: str = port["port"]
    number = PORTS.get(number, number)
    return number if port["protocol"] == "TCP" else f"{number}/{port['protocol']}"


def _name(peers: list[Json], namespace: str, spec: PlatformSpec) -> str:
    """Return how the page calls some peers; what it does not know is said as it is written."""
    places = _these(*(_place(peer) for peer in peers))
    mine = [name for name, of in sorted(TENANTS.items()) if of == TENANTS.get(namespace)]
    proxies = [("in", *(spec.gateway.proxies or (spec.namespace,))), *(("at", each) for each in spec.gateway.blocks)]
    known = {
        _these(("in", *sorted(TENANTS))): "agents",
        _these(("in", *mine)): "agents of the same tenant",
        _these(*proxies): "gateway",
        _these(("in", spec.prometheus)): "Prometheus",
        _these(("at", NETWORK), ("in", "kube-system")): "control plane",
        _these(("at", NODE_LOCAL_NAMES), ("in", "kube-system")): "DNS",
        _these(("at", IDENTITY_AGENT)): "identity agent",
        _these(("in", "observability")): "traces collector",
        _these(*(("at", block) for block in EVERYWHERE)): "anywhere",
        _these(*(("at", block) for block in PRIVATE)): "a store",
    }
    if len(places) == 1 and (one := next(iter(places)))[0] == "pods":
        return one[1]
    return known.get(places, str(sorted(places)))


def _these(*places: Place) -> frozenset[Place]:
    return frozenset(places)


def _place(peer: Json) -> Place:
    if "ip_block" in peer:
        return ("at", peer["ip_block"]["cidr"])
    (label,) = peer["namespace_selector"]["match_expressions"]
    assert (label["key"], label["operator"]) == ("kubernetes.io/metadata.name", "In")
    if "pod_selector" not in peer:
        return ("in", *label["values"])
    assert label["values"] == ["aeterna"]
    labels = peer["pod_selector"]["match_labels"]
    return ("pods", labels.get("app.kubernetes.io/name", "jobs"))


def let_in(found: list[Policy]) -> set[Row]:
    return {(source, _target(policy, source), port) for policy in found for source, port in policy.ingress}


def _target(policy: Policy, source: str) -> str:
    return "agents of the same tenant" if source == "agents of the same tenant" else policy.party


def let_out(found: list[Policy]) -> set[Row]:
    return {(policy.party, _store(target, port), port) for policy in found for target, port in policy.egress}


def _store(target: str, port: str) -> str:
    return {"the database's": "database", "the cache's": "cache"}[port] if target == "a store" else target


INSIDE = {
    "graph-api",
    "threads",
    "policies",
    "injector",
    "opal-server",
    "jobs",
    "catalog",
    "agents",
    "agents of the same tenant",
}


@pytest.mark.parametrize("opal", [OPAL, None], ids=["with_opal", "without_opal"])
def test_what_may_go_out_is_exactly_what_the_page_says(opal: OpalSpec | None) -> None:
    found = policies(site(opal=opal))

    assert let_out(found) == {row for row in documented(opal=opal is not None) if row[0] in INSIDE}


@pytest.mark.parametrize("opal", [OPAL, None], ids=["with_opal", "without_opal"])
def test_what_may_come_in_is_exactly_what_the_page_says(opal: OpalSpec | None) -> None:
    found = policies(site(opal=opal))
    said = {row for row in documented(opal=opal is not None) if row[1] in INSIDE}

    assert {_seen_from_inside(row) for row in said} == let_in(found)


def test_a_catalog_in_the_database_is_asked_by_the_graph_api_itself() -> None:
    where = site()
    catalog = replace(where.foundation.catalog, database=Late("prod_graph_catalog"))

    found = policies(type(where)(spec=where.spec, foundation=replace(where.foundation, catalog=catalog)))

    assert let_out(found) == {row for row in documented(opal=False, tables=True) if row[0] in INSIDE}


def test_a_catalog_that_runs_in_the_cluster_speaks_as_the_page_says() -> None:
    where = site()
    catalog = IdentityOutputs(principal=Late("p"), annotations={})
    found = policies(
        type(where)(spec=where.spec, foundation=replace(where.foundation, identities={"catalog": catalog}))
    )
    said = documented(opal=False, catalog=True)

    assert let_out(found) == {row for row in said if row[0] in INSIDE}
    assert let_in(found) == {_seen_from_inside(row) for row in said if row[1] in INSIDE}


def _seen_from_inside(row: Row) -> Row:
    """Return a row as the one who is called sees it: agents of one tenant are called by agents of the same tenant."""
    return (row[1], *row[1:]) if row[1] == "agents of the same tenant" else row


@pytest.mark.parametrize("opal", [OPAL, None], ids=["with_opal", "without_opal"])
def test_every_namespace_begins_with_nothing_allowed(opal: OpalSpec | None) -> None:
    found = policies(site(opal=opal))

    assert {policy.namespace for policy in found if policy.denies_everything} == {"aeterna", *TENANTS}


def test_a_tenants_agents_reach_no_agent_of_another_tenant() -> None:
    found = [policy for policy in policies(site()) if policy.namespace == "acme-blue" and policy.egress]

    ends = {target for policy in found for target, _ in policy.egress}
    assert "agents of the same tenant" in ends
    assert "agents" not in ends


def test_where_the_cloud_hands_out_tokens_elsewhere_nothing_reaches_an_identity_agent() -> None:
    """On such a cloud that address is the machine's own metadata, with the machine's own rights."""
    where = site()
    elsewhere = type(where)(spec=where.spec, foundation=foundation(identity_blocks=()))

    assert "identity agent" not in {target for _, target, _ in let_out(policies(elsewhere))}


def test_an_api_server_behind_another_port_is_reached_by_those_who_ask_it() -> None:
    """Policies see the port of the endpoint, and not that of the Service."""
    found = {
        source
        for source, target, port in let_out(policies(site(api_port=6443)))
        if (target, port) == ("anywhere", "6443")
    }

    assert found == {"graph-api", "threads", "policies", "injector"}


def test_without_monitoring_nobody_reads_metrics() -> None:
    assert "Prometheus" not in {source for source, _, _ in let_in(policies(site(monitoring=False)))}


def test_proxies_outside_of_the_cluster_come_in_by_their_blocks() -> None:
    gateway = GatewaySpec(host="a.example.com", gateway_class="a", certificate="a", blocks=("10.42.8.0/24",))

    assert ("gateway", "threads", "8082") in let_in(policies(site(gateway=gateway)))


def test_a_collector_that_is_no_service_of_the_cluster_may_be_anywhere() -> None:
    found = let_out(policies(site(traces="https://traces.example.com:4318/v1")))

    assert ("threads", "anywhere", "4318") in found


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("https://git.example.com/policies.git", 443),
        ("http://collector.observability.svc:4318", 4318),
        ("http://directory.internal/entities", 80),
        ("git@git.example.com:acme/policies.git", 22),
        ("ssh://git@git.example.com/acme/policies.git", 22),
        ("ssh://git@git.example.com:2222/acme/policies.git", 2222),
    ],
)
def test_the_port_of_an_address_is_the_one_it_names_or_its_schemes(address: str, port: int) -> None:
    assert port_of(address) == port


def test_a_policy_is_made_after_its_namespace() -> None:
    """It carries the attribute of the namespace's resource, and the engine orders by that."""
    name = platform_spec().namespace

    found = policies(site(), **{name: "${kubernetes_namespace_v1.aeterna.metadata[0].name}"})

    assert "${kubernetes_namespace_v1.aeterna.metadata[0].name}" in {
        policy.namespace for policy in found if not policy.pods
    }
