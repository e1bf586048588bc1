"""The private network on Azure: subnets for each kind of service, a way out, private endpoints and flow logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.egress import WayOut
from aeterna.azure.flow_logs import FlowLogs
from aeterna.azure.l1.data_subnet import DataAzurermSubnet
from aeterna.azure.l1.data_virtual_network import DataAzurermVirtualNetwork
from aeterna.azure.l1.private_endpoint import AzurermPrivateEndpoint
from aeterna.azure.l1.virtual_network import AzurermVirtualNetwork
from aeterna.azure.names import digest, shortened
from aeterna.azure.place import AzurePlace
from aeterna.azure.private_dns import ZONES, PrivateZone
from aeterna.azure.reserved import refuse_reserved
from aeterna.azure.subnets import Subnets
from aeterna.azure.zones import logical_zones, offered_zones
from aeterna.contracts.addresses import parse_block, require_disjoint
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between
from aeterna.contracts.network import Egress, NetworkOutputs
from aeterna.synth.app import Annotations
from aeterna.synth.expressions import Fn, Token
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Network

    from aeterna.azure.keys import AzureKey
    from aeterna.contracts.network import NetworkSpec
    from aeterna.synth._cdk import ITerraformDependable
    from aeterna.synth.values import Text

PODS = "10.244.0.0/16"
"""Where pods have their addresses, behind those of the nodes: seen inside the cluster only, so any network may use the
same block. It may not overlap what the nodes want to reach."""

TOKENS = "login.microsoftonline.com"
"""Where a workload gets the token that every store asks for. Entra ID has no private endpoint (Azure/AKS#3319)."""

SHORTEST_NETWORK = 2
LONGEST_NETWORK = 64
LONGEST_ENDPOINT = 55
"""Leaves room for a digest: an endpoint's name has 64 characters at most."""


@names_itself
class AzureNetwork(Construct):
    """A network whose stores are reached through private endpoints alone, from workloads that no address leads to.

    ``key`` encrypts the flow logs, and its vault gets an endpoint in the network. ``pods`` is the block of a cluster's
    pods, which the firewall of the nodes lets in. `ready` is what a node has to wait for.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: NetworkSpec, *, place: AzurePlace, key: AzureKey, pods: str = PODS
    ) -> None:
        super().__init__(scope, id_)
        require_between("NetworkSpec", "name", len(spec.name), (SHORTEST_NETWORK, LONGEST_NETWORK), "characters")
        block = parse_block("NetworkSpec", "cidr", spec.cidr)
        self.block: IPv4Network | None = block
        self.pods = parse_block("AzureNetwork", "pods", pods)
        refuse_reserved("NetworkSpec", "cidr", block)
        refuse_reserved("AzureNetwork", "pods", self.pods)
        for text in (spec.cidr, *spec.connected):
            carried = parse_block("NetworkSpec", "cidr", text)
            require_disjoint("NetworkSpec", "cidr", carried, self.pods, "where the pods have their addresses")
        self.label, self.place, self.egress = spec.name, place, spec.egress
        self.zones = logical_zones(self, "Zones", spec, place=place)
        network = AzurermVirtualNetwork(
            self,
            "Resource",
            name=spec.name,
            location=place.location,
            resource_group_name=place.group_name,
            address_space=[spec.cidr],
        )
        subnets = Subnets(self, "Subnets", spec, place=place, network=network, pods=self.pods)
        self._subnets = {
            "nodes": Late(subnets.nodes.id),
            "endpoints": Late(subnets.endpoints.id),
            "database": Late(subnets.database.id),
            "api": Late(subnets.api.id),
        }
        self._zones: dict[str, PrivateZone] = {}
        ready: list[ITerraformDependable] = [*subnets.firewalls]
        addresses: tuple[Late, ...] = ()
        if spec.egress is not Egress.NONE:
            way_out = WayOut(self, "Egress", spec, place=place, nodes=subnets.nodes, zone=self.zones[0])
            addresses = way_out.addresses
            ready.extend(way_out.ready)
        else:
            Annotations.of(self).add_warning(f"without a way out to {TOKENS} no pod gets a token, and so no login")
        self._settle(network, addresses)
        if spec.private_endpoints:
            for service in ZONES:
                ready.extend(self.zone(service).ready)
            vault = self.zone("vault")
            ready.append(
                self.private_endpoint(
                    self, "Vault", target_id=key.vault.id, subresource="vault", zone=vault, place=place
                )
            )
        self.ready: tuple[ITerraformDependable, ...] = tuple(ready)
        FlowLogs(self, "FlowLogs", spec, place=place, network_id=self.network_id, key=key)

    @classmethod
    def existing(
        cls,
        scope: Construct,
        id_: str,
        *,
        place: AzurePlace,
        name: str,
        group: str,
        subnets: Mapping[str, str],
        zones: Mapping[str, str] | None = None,
        egress: Egress = Egress.SHARED,
    ) -> AzureNetwork:
        """Take a network that the customer already has.

        ``subnets`` names its subnets by what they are for: "nodes", "endpoints", "database" and "api". The last two are
        delegated, and the one of the database has the service endpoint Microsoft.Storage; each may be left out where
        nothing is made in it. ``zones`` gives the resource group of each private DNS zone that is there already and
        linked, by the zone's name or the service's; any other is made when it is first needed. ``egress`` says whether
        the nodes' subnet has a NAT gateway. ``group`` is the network's resource group, ``place`` where new things go.
        """
        return _ExistingNetwork(
            scope, id_, place=place, name=name, group=group, subnets=subnets, zones=zones or {}, egress=egress
        )

    @property
    def nodes_subnet_id(self) -> Late:
        """Return the subnet of a cluster's nodes."""
        return self._subnet("nodes")

    @property
    def endpoints_subnet_id(self) -> Late:
        """Return the subnet of private endpoints."""
        return self._subnet("endpoints")

    @property
    def database_subnet_id(self) -> Late:
        """Return the subnet of PostgreSQL servers, and of nothing else."""
        return self._subnet("database")

    @property
    def api_subnet_id(self) -> Late:
        """Return the subnet of a cluster's API, and of nothing else."""
        return self._subnet("api")

    def zone(self, name: str) -> PrivateZone:
        """Return the private DNS zone of a service, or one of this name; it is made when it is first asked for."""
        full = ZONES.get(name, name)
        if full not in self._zones:
            self._zones[full] = self._make_zone(full)
        return self._zones[full]

    def private_endpoint(
        self,
        scope: Construct,
        id_: str,
        *,
        target_id: Text,
        subresource: str,
        zone: PrivateZone,
        place: AzurePlace | None = None,
    ) -> AzurermPrivateEndpoint:
        """Give a service one address in the network, and its name that address. Made in the given scope."""
        where = place or AzurePlace.of(scope)
        name = f"{shortened(f'{self.label}-{subresource}', longest=LONGEST_ENDPOINT)}-{digest(scope.node.path, id_)}"
        return AzurermPrivateEndpoint(
            scope,
            id_,
            name=name,
            # An endpoint stands in its network's region, which need not be the region of what it leads to.
            location=self.place.location,
            resource_group_name=where.group_name,
            subnet_id=self.endpoints_subnet_id,
            private_service_connection={
                "name": name,
                "private_connection_resource_id": target_id,
                "subresource_names": [subresource],
                "is_manual_connection": False,
            },
            private_dns_zone_group={"name": "default", "private_dns_zone_ids": [zone.id]},
            depends_on=zone.ready,
        )

    def _subnet(self, use: str) -> Late:
        found = self._subnets.get(use)
        if found is None:
            problem = f"there is no subnet for {use!r}, and something is to be made in it"
            raise InvalidSpecError("AzureNetwork", "subnets", problem, f"name the one that is for {use!r}")
        return found

    def _make_zone(self, name: str) -> PrivateZone:
        return PrivateZone(
            self, f"Zone-{name}", name, place=self.place, network_name=self.label, network_id=self.network_id
        )

    def _settle(self, network: AzurermVirtualNetwork | DataAzurermVirtualNetwork, addresses: tuple[Late, ...]) -> None:
        self.network_id = Late(network.id)
        self.name = Late(network.name)
        self.group_name = Late(network.resource_group_name)
        block = Token.as_string(Fn.element(Fn.tolist(network.address_space), 0))
        self.outputs = NetworkOutputs(
            network_id=self.network_id,
            cidr=Late(block),
            private_subnet_ids=(self.nodes_subnet_id,),
            zones=self.zones,
            egress_addresses=addresses,
        )


@names_itself
class _ExistingNetwork(AzureNetwork):
    """A network that is only looked up; zones that it lacks are made."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        place: AzurePlace,
        name: str,
        group: str,
        subnets: Mapping[str, str],
        zones: Mapping[str, str],
        egress: Egress,
    ) -> None:
        Construct.__init__(self, scope, id_)
        self.block = None
        self.pods = parse_block("AzureNetwork", "pods", PODS)
        self.label, self.place, self.egress = name, place, egress
        self.zones = offered_zones(self, "Zones", place=place)
        found = DataAzurermVirtualNetwork(self, "Resource", name=name, resource_group_name=group)
        self._subnets = {
            use: Late(
                DataAzurermSubnet(
                    self,
                    use.capitalize(),
                    name=subnet,
                    virtual_network_name=found.name,
                    resource_group_name=group,
                ).id
            )
            for use, subnet in subnets.items()
        }
        self._zones = {
            full: PrivateZone.existing(self, f"Zone-{full}", full, group=where)
            for full, where in ((ZONES.get(given, given), where) for given, where in zones.items())
        }
        self.ready = (found,)
        self._settle(found, ())
