"""What a network on Azure is, read from what Terraform would be given."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.azure.network import AzureNetwork
from aeterna.azure.private_dns import ZONES
from aeterna.azure.regions import WITHOUT_ZONAL_EGRESS
from aeterna.azure.reserved import RESERVED
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.network import Egress, NetworkSpec
from aeterna.synth.app import TerraformOutput
from fixtures.azure_stack import SUBNETS, AzureStack, named

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json


def deployed(spec: NetworkSpec) -> Document:
    stack = AzureStack()
    network = stack.made_network(spec)
    TerraformOutput(stack, "egress", value=list(network.outputs.egress_addresses))
    TerraformOutput(stack, "zones", value=list(network.zones))
    return stack.document()


@pytest.fixture(scope="module")
def synthesis() -> Document:
    return deployed(NetworkSpec(name="prod"))


def subnet(document: Document, part: str) -> Json:
    return named(document.resources("azurerm_subnet"), f"_{part}_")


def rules(document: Document, part: str) -> list[Json]:
    return [
        rule for name, rule in document.resources("azurerm_network_security_rule").items() if f"_{part}Firewall" in name
    ]


def test_no_machine_gets_a_way_out_that_nobody_chose(synthesis: Document) -> None:
    """Azure gives every machine one by default, from an address that is on no allow-list."""
    assert subnet(synthesis, "Nodes")["default_outbound_access_enabled"] is False
    assert subnet(synthesis, "Endpoints")["default_outbound_access_enabled"] is False


def test_one_way_out_stands_in_every_zone_at_once(synthesis: Document) -> None:
    """A subnet spans the zones and takes one gateway: only one that is in all of them outlives the loss of a zone."""
    gateway = synthesis.only("azurerm_nat_gateway")
    address = synthesis.only("azurerm_public_ip")

    assert (gateway["sku_name"], address["sku"]) == ("StandardV2", "StandardV2")
    assert "zones" not in gateway
    assert len(synthesis.outputs()["egress"]["value"]) == 1


@pytest.mark.parametrize("region", sorted(WITHOUT_ZONAL_EGRESS))
def test_a_way_out_in_every_zone_is_refused_where_azure_has_none_yet(region: str) -> None:
    """The apply would refuse the address, after everything before it was made."""
    with pytest.raises(InvalidSpecError, match=r"use Egress\.SHARED"):
        AzureStack(location=region).made_network()


def test_a_shared_way_out_is_had_in_every_region() -> None:
    stack = AzureStack(location="qatarcentral")
    stack.made_network(NetworkSpec(name="prod", egress=Egress.SHARED))

    assert stack.document().only("azurerm_nat_gateway")["sku_name"] == "Standard"


def test_a_shared_way_out_stands_in_one_zone() -> None:
    document = deployed(NetworkSpec(name="dev", zones=2, egress=Egress.SHARED))

    gateway = document.only("azurerm_nat_gateway")
    assert gateway["sku_name"] == "Standard"
    assert gateway["zones"] == document.only("azurerm_public_ip")["zones"]
    assert len(gateway["zones"]) == 1


def test_a_way_out_of_the_other_kind_is_replaced_and_not_upgraded(synthesis: Document) -> None:
    """The provider would change the kind of the address in place, which Azure never does."""
    shared = deployed(NetworkSpec(name="prod", egress=Egress.SHARED))

    assert shared.only("azurerm_public_ip")["name"] != synthesis.only("azurerm_public_ip")["name"]


def test_the_way_out_keeps_its_address_when_azure_tells_other_zones_than_it_was_asked_for(synthesis: Document) -> None:
    """A change of zones replaces the address, which is on a partner's allow-list."""
    shared = deployed(NetworkSpec(name="dev", zones=2, egress=Egress.SHARED))

    assert synthesis.only("azurerm_public_ip")["lifecycle"]["ignore_changes"] == ["zones"]
    assert shared.only("azurerm_public_ip")["lifecycle"]["ignore_changes"] == ["zones"]
    assert shared.only("azurerm_nat_gateway")["lifecycle"]["ignore_changes"] == ["zones"]


def test_the_gateway_in_every_zone_is_never_planned_with_the_zones_that_azure_tells(synthesis: Document) -> None:
    """What is ignored is planned as it was told, and the provider refuses this kind with any: the second plan fails."""
    gateway = synthesis.only("azurerm_nat_gateway")

    assert "zones" not in gateway
    assert "ignore_changes" not in gateway.get("lifecycle", {})


def test_a_network_without_egress_has_no_public_part_at_all() -> None:
    document = deployed(NetworkSpec(name="sealed", egress=Egress.NONE))

    assert not document.resources("azurerm_public_ip")
    assert not document.resources("azurerm_nat_gateway")
    assert document.outputs()["egress"]["value"] == []


def test_it_is_said_that_no_pod_gets_a_token_without_a_way_out() -> None:
    """Every store asks for a token of Entra ID, which has no private endpoint: pods would start, and reach nothing."""
    stack = AzureStack()
    network = stack.made_network(NetworkSpec(name="sealed", egress=Egress.NONE))

    assert any("login.microsoftonline.com" in said.data for said in network.node.metadata)


def test_every_subnet_lets_in_what_is_named_and_nothing_else(synthesis: Document) -> None:
    """Azure's own rules let the whole network in, so a last rule of ours has to come before them."""
    guarded = synthesis.resources("azurerm_subnet_network_security_group_association").values()

    assert len(guarded) == len(synthesis.resources("azurerm_subnet")) == 4
    for part in ("Nodes", "Endpoints", "Api", "Database"):
        last = max(rules(synthesis, part), key=lambda rule: rule["priority"])
        assert (last["access"], last["source_address_prefix"], last["priority"]) == ("Deny", "*", 4096)


def test_nothing_lets_the_internet_in(synthesis: Document) -> None:
    allowed = [
        rule["source_address_prefix"]
        for rule in synthesis.resources("azurerm_network_security_rule").values()
        if rule["access"] == "Allow"
    ]

    assert set(allowed) <= {"VirtualNetwork", "AzureLoadBalancer", "10.244.0.0/16"}


def test_a_firewall_reaches_its_subnet_only_with_all_of_its_rules(synthesis: Document) -> None:
    """Without them it would cut off the nodes for as long as the rules take."""
    association = named(synthesis.resources("azurerm_subnet_network_security_group_association"), "NodesFirewall")

    assert len(association["depends_on"]) == len(rules(synthesis, "Nodes"))


def test_pods_reach_the_nodes_of_their_own_cluster(synthesis: Document) -> None:
    """Traffic between pods of an overlay crosses the nodes' firewall under the pods' own addresses."""
    assert "10.244.0.0/16" in {rule["source_address_prefix"] for rule in rules(synthesis, "Nodes")}


def test_the_databases_subnet_is_the_databases_alone_and_reaches_storage(synthesis: Document) -> None:
    """Without the service endpoint the server cannot archive its log, and is never made."""
    (delegation,) = subnet(synthesis, "Database")["delegation"]
    ports = {
        port
        for rule in rules(synthesis, "Database")
        if rule["access"] == "Allow"
        for port in rule["destination_port_ranges"]
    }

    assert delegation["service_delegation"]["name"] == "Microsoft.DBforPostgreSQL/flexibleServers"
    assert subnet(synthesis, "Database")["service_endpoint"] == [{"service": "Microsoft.Storage"}]
    assert ports == {"5432", "6432"}


def test_the_clusters_api_has_a_subnet_of_its_own(synthesis: Document) -> None:
    (delegation,) = subnet(synthesis, "Api")["delegation"]

    assert delegation["service_delegation"]["name"] == "Microsoft.ContainerService/managedClusters"


def test_private_endpoints_are_behind_the_firewall_too(synthesis: Document) -> None:
    """Azure leaves them out of it by default."""
    assert subnet(synthesis, "Endpoints")["private_endpoint_network_policies"] == "NetworkSecurityGroupEnabled"


def test_the_names_of_every_service_are_found_inside_the_network(synthesis: Document) -> None:
    """Redis and storage without public access and without a zone were unreachable from everywhere."""
    zones = {zone["name"] for zone in synthesis.resources("azurerm_private_dns_zone").values()}
    links = synthesis.resources("azurerm_private_dns_zone_virtual_network_link").values()

    assert zones == set(ZONES.values())
    assert len(links) == len(zones)
    assert {link["registration_enabled"] for link in links} == {False}


def test_the_vault_of_the_key_is_reached_inside_the_network(synthesis: Document) -> None:
    endpoint = synthesis.only("azurerm_private_endpoint")
    connection = endpoint["private_service_connection"]

    assert connection["subresource_names"] == ["vault"]
    assert "azurerm_key_vault." in connection["private_connection_resource_id"]
    assert connection["is_manual_connection"] is False
    assert len(endpoint["private_dns_zone_group"]["private_dns_zone_ids"]) == 1
    assert any("virtual_network_link" in waited for waited in endpoint["depends_on"])


def test_a_zone_is_made_once_however_many_ask_for_it() -> None:
    """A network takes one link to a zone of a name; the second would be refused."""
    stack = AzureStack()
    network = stack.made_network()

    assert network.zone("blob") is network.zone(ZONES["blob"])


def test_without_private_endpoints_a_zone_is_made_when_it_is_needed() -> None:
    stack = AzureStack()
    network = stack.made_network(NetworkSpec(name="dev", private_endpoints=False))
    network.zone("blob")

    document = stack.document()

    assert {zone["name"] for zone in document.resources("azurerm_private_dns_zone").values()} == {ZONES["blob"]}
    assert not document.resources("azurerm_private_endpoint")


def test_zones_are_the_subscriptions_own_numbers(synthesis: Document) -> None:
    """The number of a zone means another zone in every subscription."""
    assert all("azurerm_location" in zone for zone in synthesis.outputs()["zones"]["value"])
    assert len(synthesis.outputs()["zones"]["value"]) == 3


def test_pinned_zones_are_translated_into_the_subscriptions_numbers() -> None:
    document = deployed(NetworkSpec(name="prod", zones=2, zone_ids=("westeurope-az1", "westeurope-az3")))

    first, second = document.outputs()["zones"]["value"]

    assert "physical_zone" in first
    assert first.endswith('["westeurope-az1"]}')
    assert second.endswith('["westeurope-az3"]}')


def test_a_zone_of_another_region_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="westeurope-az1"):
        deployed(NetworkSpec(name="prod", zones=2, zone_ids=("westeurope-az1", "northeurope-az2")))


def test_a_network_shares_no_address_with_its_pods() -> None:
    """Nodes would take what is meant for a peer to be one of their own pods."""
    with pytest.raises(InvalidSpecError, match="where the pods have their addresses"):
        AzureStack().made_network(NetworkSpec(name="prod", connected=("10.244.0.0/16",)))


@pytest.mark.parametrize("block", RESERVED, ids=str)
def test_a_network_that_has_addresses_which_aks_keeps_for_itself_is_refused(block: IPv4Network) -> None:
    """AKS would refuse the cluster, long after the network was made; one of them is the default network of AWS."""
    with pytest.raises(InvalidSpecError, match="what AKS keeps for itself"):
        AzureStack().made_network(NetworkSpec(name="prod", cidr=str(block)))


def test_all_flows_are_kept_in_an_account_under_the_key(synthesis: Document) -> None:
    flow_log = synthesis.only("azurerm_network_watcher_flow_log")
    account = synthesis.only("azurerm_storage_account")

    assert flow_log["retention_policy"] == {"enabled": True, "days": 90}
    assert "azurerm_virtual_network." in flow_log["target_resource_id"]
    assert "azurerm_key_vault_key." in account["customer_managed_key"]["key_vault_key_id"]
    assert account["network_rules"] == {"default_action": "Deny", "bypass": ["AzureServices"], "ip_rules": []}


def test_flow_logs_wait_for_the_watcher_that_azure_makes_with_the_first_network(synthesis: Document) -> None:
    flow_log = synthesis.only("azurerm_network_watcher_flow_log")

    assert (flow_log["resource_group_name"], flow_log["network_watcher_name"]) == (
        "NetworkWatcherRG",
        "NetworkWatcher_westeurope",
    )
    assert any("time_sleep" in waited for waited in flow_log["depends_on"])


def test_flows_are_not_sent_to_a_workspace_that_takes_no_key(synthesis: Document) -> None:
    assert "traffic_analytics" not in synthesis.only("azurerm_network_watcher_flow_log")


def test_an_existing_network_and_its_subnets_are_looked_up() -> None:
    stack = AzureStack()
    network = AzureNetwork.existing(
        stack,
        "Hub",
        place=stack.place,
        name="spoke",
        group="platform",
        subnets=SUBNETS,
        zones={"blob": "dns", "dfs": "dns"},
    )
    network.zone("blob")
    network.zone("redis")

    document = stack.document()

    assert not document.resources("azurerm_virtual_network")
    assert {zone["name"] for zone in document.data("azurerm_private_dns_zone").values()} == {
        ZONES["blob"],
        ZONES["dfs"],
    }
    assert {zone["name"] for zone in document.resources("azurerm_private_dns_zone").values()} == {ZONES["redis"]}


def test_a_name_of_one_letter_is_refused_as_azure_refuses_it() -> None:
    with pytest.raises(InvalidSpecError, match="use 2 to 64 characters"):
        AzureStack().made_network(NetworkSpec(name="a"))


@pytest.mark.parametrize("length", [2, 40])
def test_the_names_of_endpoints_fit_whatever_the_network_is_called(length: int) -> None:
    stack = AzureStack()
    network = stack.made_network(NetworkSpec(name="n" * length))
    zone = network.zone("redis")
    network.private_endpoint(stack, "Cache", target_id="cache", subresource="redisEnterprise", zone=zone)

    names = {endpoint["name"] for endpoint in stack.document().resources("azurerm_private_endpoint").values()}

    assert len(names) == 2
    assert all(len(name) <= 64 for name in names)


def test_something_made_in_a_subnet_that_was_not_named_is_refused() -> None:
    stack = AzureStack()
    subnets = {"nodes": "nodes", "endpoints": "endpoints"}
    network = AzureNetwork.existing(stack, "Hub", place=stack.place, name="spoke", group="platform", subnets=subnets)

    with pytest.raises(InvalidSpecError, match="name the one that is for 'database'"):
        _ = network.database_subnet_id


@settings(max_examples=15, deadline=None)
@given(
    cidr=st.integers(16, 20).map(lambda prefix: f"10.64.0.0/{prefix}"),
    zones=st.integers(2, 3),
)
def test_subnets_of_any_network_lie_in_it_apart_and_as_large_as_the_service_asks(cidr: str, zones: int) -> None:
    """The cluster's API takes no subnet below /28, and a network that gets a third zone keeps its subnets."""
    document = deployed(NetworkSpec(name="prod", cidr=cidr, zones=zones))

    blocks = [IPv4Network(made["address_prefixes"][0]) for made in document.resources("azurerm_subnet").values()]
    assert len(blocks) == 4
    assert all(block.subnet_of(IPv4Network(cidr)) and block.prefixlen <= 28 for block in blocks)
    assert not any(one.overlaps(other) for index, one in enumerate(blocks) for other in blocks[:index])
