"""What a network on Google Cloud is, read from what Terraform would be given."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.contracts.addresses import LARGEST_PREFIX, SMALLEST_PREFIX
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.naming import LONGEST_NAME, NAME
from aeterna.contracts.network import Egress, NetworkSpec
from aeterna.gcp.endpoints import endpoint_name
from aeterna.gcp.l1.service_account import GoogleServiceAccount
from aeterna.gcp.network import GcpNetwork
from aeterna.gcp.ranges import carve_region
from aeterna.synth.app import TerraformOutput
from fixtures.gcp_ground import GroundStack
from fixtures.resource_graph import graph_of, needed_by

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

SERVICES = "172.20.0.0/16"


def deployed(spec: NetworkSpec) -> Document:
    stack = GroundStack()
    network = GcpNetwork(stack, "Network", spec, place=stack.place, key=stack.key)
    TerraformOutput(stack, "egress", value=list(network.outputs.egress_addresses))
    TerraformOutput(stack, "zones", value=list(network.outputs.zones))
    return stack.document()


@pytest.fixture(scope="module")
def synthesis() -> Document:
    return deployed(NetworkSpec(name="prod"))


def blocks(document: Document) -> list[IPv4Network]:
    subnet = document.only("google_compute_subnetwork")
    lent = addresses(document, "VPC_PEERING")
    texts = [subnet["ip_cidr_range"], *(each["ip_cidr_range"] for each in subnet["secondary_ip_range"])]
    return [*map(IPv4Network, texts), *(IPv4Network(f"{each['address']}/{each['prefix_length']}") for each in lent)]


def addresses(document: Document, purpose: str) -> list[Json]:
    found = document.resources("google_compute_global_address").values()
    return [each for each in found if each["purpose"] == purpose]


def test_nothing_is_in_the_network_that_was_not_asked_for(synthesis: Document) -> None:
    """By default Google puts a subnet into every region, and a route to the internet into each."""
    network = synthesis.only("google_compute_network")

    assert network["auto_create_subnetworks"] is False
    assert network["delete_default_routes_on_create"] is True


def test_nodes_pods_services_and_google_share_no_address(synthesis: Document) -> None:
    parts = blocks(synthesis)

    assert all(part.subnet_of(IPv4Network("10.0.0.0/16")) for part in parts)
    assert not any(a.overlaps(b) for a in parts for b in parts if a is not b)


@given(st.integers(LARGEST_PREFIX, SMALLEST_PREFIX))
def test_every_size_of_block_can_be_carved(prefix: int) -> None:
    """Cloud SQL takes no range smaller than /24, and the endpoint's address must be in no subnet."""
    block = IPv4Network(("10.16.0.0", prefix))

    ranges = carve_region(block)

    assert ranges.google.prefixlen <= 24
    assert ranges.endpoint in block
    assert not any(ranges.endpoint in part for part in (ranges.nodes, ranges.google, ranges.pods))


def test_a_cluster_gets_the_range_for_its_services_that_its_spec_names() -> None:
    """GKE would make one itself, and the next apply of the network would take it away again."""
    stack = GroundStack()
    network = GcpNetwork(stack, "Network", NetworkSpec(name="prod"), place=stack.place, key=stack.key)
    TerraformOutput(stack, "range", value=network.services_range(SERVICES))
    document = stack.document()

    ranges = document.only("google_compute_subnetwork")["secondary_ip_range"]

    assert [each["range_name"] for each in ranges] == ["pods", "services"]
    assert ranges[1]["ip_cidr_range"] == SERVICES
    assert document.outputs()["range"]["value"].endswith(".secondary_ip_range[1].range_name}")


def test_services_that_overlap_the_network_are_refused() -> None:
    stack = GroundStack()
    network = GcpNetwork(stack, "Network", NetworkSpec(name="prod"), place=stack.place, key=stack.key)

    with pytest.raises(InvalidSpecError, match="service_cidr"):
        network.services_range("10.0.64.0/20")


def test_two_clusters_of_a_network_agree_on_the_range_of_their_services() -> None:
    stack = GroundStack()
    network = GcpNetwork(stack, "Network", NetworkSpec(name="prod"), place=stack.place, key=stack.key)
    network.services_range(SERVICES)

    with pytest.raises(InvalidSpecError, match=r"172\.20\.0\.0/16"):
        network.services_range("172.21.0.0/16")


def test_the_way_out_has_an_address_for_each_zone_and_none_that_changes(synthesis: Document) -> None:
    """A partner's allow-list holds only addresses that are reserved."""
    translation = synthesis.only("google_compute_router_nat")

    assert translation["nat_ip_allocate_option"] == "MANUAL_ONLY"
    assert len(translation["nat_ips"]) == 3
    assert len(synthesis.outputs()["egress"]["value"]) == 3


def test_a_network_shares_one_address_only_when_asked_to() -> None:
    document = deployed(NetworkSpec(name="dev", zones=2, egress=Egress.SHARED))

    assert len(document.only("google_compute_router_nat")["nat_ips"]) == 1


def test_a_network_without_egress_has_no_route_to_the_internet() -> None:
    document = deployed(NetworkSpec(name="sealed", egress=Egress.NONE))

    assert not document.resources("google_compute_route")
    assert not document.resources("google_compute_router_nat")
    assert not document.resources("google_compute_address")
    assert document.outputs()["egress"]["value"] == []


def test_busy_nodes_take_ports_as_they_need_them(synthesis: Document) -> None:
    """With a fixed share a node with many pods runs out of ports while others have them unused."""
    translation = synthesis.only("google_compute_router_nat")

    assert translation["enable_dynamic_port_allocation"] is True
    assert translation["enable_endpoint_independent_mapping"] is False


def test_every_service_of_google_is_reached_inside_the_network(synthesis: Document) -> None:
    endpoint = synthesis.only("google_compute_global_forwarding_rule")
    (address,) = addresses(synthesis, "PRIVATE_SERVICE_CONNECT")

    assert endpoint["target"] == "all-apis"
    assert endpoint["load_balancing_scheme"] == ""
    assert not any(IPv4Address(address["address"]) in block for block in blocks(synthesis))


def test_the_names_of_services_registries_and_control_planes_lead_to_the_private_way(synthesis: Document) -> None:
    """Without a zone for one of them, nodes cannot pull, or cannot find their control plane."""
    zones = {zone["dns_name"] for zone in synthesis.resources("google_dns_managed_zone").values()}
    records = list(synthesis.resources("google_dns_record_set").values())

    assert zones == {"googleapis.com.", "gcr.io.", "pkg.dev.", "gke.goog."}
    assert all(zone["visibility"] == "private" for zone in synthesis.resources("google_dns_managed_zone").values())
    assert sorted(record["type"] for record in records) == ["A"] * 4 + ["CNAME"] * 4


def test_private_endpoints_can_be_left_out_where_there_is_a_way_out() -> None:
    document = deployed(NetworkSpec(name="dev", egress=Egress.SHARED, private_endpoints=False))

    assert not document.resources("google_compute_global_forwarding_rule")
    assert not document.resources("google_dns_managed_zone")
    assert document.only("google_compute_subnetwork")["private_ip_google_access"] is True


@given(st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= LONGEST_NAME))
def test_an_endpoint_has_a_name_that_google_takes(name: str) -> None:
    """Endpoints for Google's services alone take at most 20 letters and digits, and no hyphen."""
    chosen = endpoint_name(name)

    assert len(chosen) <= 20
    assert chosen.isalnum()
    assert chosen[0].isalpha()


def test_networks_that_begin_alike_have_endpoints_of_their_own() -> None:
    assert endpoint_name("production-europe-west4-a") != endpoint_name("production-europe-west4-b")


def test_databases_have_their_addresses_in_a_range_lent_to_google(synthesis: Document) -> None:
    connection = synthesis.only("google_service_networking_connection")
    (lent,) = addresses(synthesis, "VPC_PEERING")

    assert lent["prefix_length"] == 20
    assert connection["service"] == "servicenetworking.googleapis.com"


def test_destroying_the_network_does_not_fail_on_the_peering_that_google_keeps(synthesis: Document) -> None:
    """Google refuses to give a peering up for days after its last database is gone."""
    connection = synthesis.only("google_service_networking_connection")

    assert connection["deletion_policy"] == "ABANDON"
    assert connection["update_on_creation_fail"] is True


def test_memorystore_may_put_its_endpoints_into_the_subnet(synthesis: Document) -> None:
    policy = synthesis.only("google_network_connectivity_service_connection_policy")

    assert policy["service_class"] == "gcp-memorystore"
    assert policy["location"] == "europe-west4"
    assert len(policy["psc_config"]["subnetworks"]) == 1


def test_every_connection_that_no_rule_allows_is_refused_and_logged(synthesis: Document) -> None:
    """The rule that Google implies refuses the same, and leaves no trace."""
    rule = synthesis.only("google_compute_firewall")

    assert (rule["direction"], rule["source_ranges"], rule["deny"]) == ("INGRESS", ["0.0.0.0/0"], [{"protocol": "all"}])
    assert "allow" not in rule
    assert rule["log_config"]["metadata"] == "INCLUDE_ALL_METADATA"


def test_all_flows_are_kept_under_the_key_and_nowhere_else(synthesis: Document) -> None:
    """The project's default bucket would keep a second copy, which is not under the key."""
    subnet = synthesis.only("google_compute_subnetwork")
    bucket = synthesis.only("google_logging_project_bucket_config")
    sink, exclusion = (synthesis.only(f"google_logging_project_{kind}") for kind in ("sink", "exclusion"))

    assert subnet["log_config"]["flow_sampling"] == 1
    assert bucket["cmek_settings"]["kms_key_name"].startswith("${google_kms_crypto_key.")
    assert bucket["retention_days"] == 90
    assert sink["filter"] == exclusion["filter"]
    assert 'subnetwork_name="prod-private"' in sink["filter"]


def test_the_log_service_may_use_the_key_before_its_bucket_is_made(synthesis: Document) -> None:
    (bucket,) = (f"google_logging_project_bucket_config.{name}" for name in bucket_names(synthesis))

    needed = needed_by(graph_of(synthesis), bucket)

    assert any(each.startswith("google_kms_crypto_key_iam_member.") and "Logging" in each for each in needed)


def bucket_names(document: Document) -> list[str]:
    return list(document.resources("google_logging_project_bucket_config"))


def test_nodes_wait_for_the_way_out_and_the_private_names() -> None:
    stack = GroundStack()
    network = GcpNetwork(stack, "Network", NetworkSpec(name="prod"), place=stack.place, key=stack.key)

    GoogleServiceAccount(stack, "Node", account_id="node", depends_on=network.ready)

    waits = stack.document().only("google_service_account")["depends_on"]

    assert {each.partition(".")[0] for each in waits} == {
        "google_compute_subnetwork",
        "google_compute_route",
        "google_compute_router_nat",
        "google_compute_global_forwarding_rule",
        "google_dns_record_set",
    }


def test_a_zone_of_another_region_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="europe-west1-b"):
        deployed(NetworkSpec(name="prod", zones=2, zone_ids=("europe-west4-a", "europe-west1-b")))


def test_a_pinned_zone_that_the_region_has_not_fails_when_it_is_planned() -> None:
    document = deployed(NetworkSpec(name="prod", zones=2, zone_ids=("europe-west4-a", "europe-west4-c")))

    assert all("setintersection(" in zone for zone in document.outputs()["zones"]["value"])


def test_a_network_that_the_customer_has_is_looked_up_and_nothing_is_added_to_it() -> None:
    stack = GroundStack()
    network = GcpNetwork.existing(
        stack,
        "Network",
        network="shared",
        subnetwork="nodes",
        pods_range="pods",
        services_range="services",
        place=stack.place,
    )
    TerraformOutput(stack, "network", value=network.network_id)
    document = stack.document()

    assert [each["name"] for each in document.data("google_compute_network").values()] == ["shared"]
    assert [each["region"] for each in document.data("google_compute_subnetwork").values()] == ["europe-west4"]
    assert not any(kind.startswith("google_compute_") for kind in document.json["resource"])
    assert (network.pods_range, network.services_range(SERVICES)) == ("pods", "services")
