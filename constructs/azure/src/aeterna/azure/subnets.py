"""The subnets of a network on Azure, each for one kind of thing, as its services demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.firewalls import ANY, NETWORK, PROBES, Firewall, Inbound
from aeterna.azure.l1.subnet import AzurermSubnet
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network

    from aeterna.azure.l1.subnet import AzurermSubnetDelegationBlock
    from aeterna.azure.l1.virtual_network import AzurermVirtualNetwork
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.network import NetworkSpec
    from aeterna.synth._cdk import ITerraformDependable

JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
API_SERVER = "Microsoft.ContainerService/managedClusters"
POSTGRES_SERVER = "Microsoft.DBforPostgreSQL/flexibleServers"

API_PORTS = ("443", "4443")
API_PROBE = ("9988",)
"""What a cluster's nodes and its load balancer ask of its API (Azure documentation, "API Server VNet Integration")."""
DATABASE_PORTS = ("5432", "6432")
"""PostgreSQL, and its pooler."""
ENDPOINT_PORTS = ("443", "8500-8599", "10000")
"""Every service over HTTPS, and Redis."""


@names_itself
class Subnets(Construct):
    """The network's subnets. Azure's reach over every zone of the region, so that there is one of each kind.

    Of the blocks that the contract carves, the nodes have the first zone's, the database the second one's edge, the
    cluster's API and the private endpoints half of the first one's edge each. The rest stays free.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: NetworkSpec,
        *,
        place: AzurePlace,
        network: AzurermVirtualNetwork,
        pods: IPv4Network,
    ) -> None:
        super().__init__(scope, id_)
        self._spec, self._place, self._network = spec, place, network
        first, second, *_ = spec.blocks()
        endpoints, api = first.edge.subnets(prefixlen_diff=1)
        self.firewalls: list[ITerraformDependable] = []
        inside = Inbound(name="Network", source=NETWORK, protocol=ANY)
        of_pods = Inbound(name="Pods", source=str(pods), protocol=ANY)
        probes = Inbound(name="Probes", source=PROBES, protocol=ANY)
        self.nodes = self._subnet("Nodes", first.private, lets_in=(inside, of_pods, probes))
        self.endpoints = self._subnet(
            "Endpoints", endpoints, lets_in=(Inbound(name="Network", source=NETWORK, ports=ENDPOINT_PORTS),)
        )
        self.api = self._subnet(
            "Api",
            api,
            delegated=API_SERVER,
            lets_in=(
                Inbound(name="Network", source=NETWORK, ports=API_PORTS),
                Inbound(name="Probes", source=PROBES, ports=API_PROBE),
            ),
        )
        self.database = self._subnet(
            "Database",
            second.edge,
            delegated=POSTGRES_SERVER,
            services=("Microsoft.Storage",),
            lets_in=(Inbound(name="Network", source=NETWORK, ports=DATABASE_PORTS),),
        )

    def _subnet(
        self,
        id_: str,
        block: IPv4Network,
        *,
        lets_in: Sequence[Inbound],
        delegated: str | None = None,
        services: Sequence[str] = (),
    ) -> AzurermSubnet:
        name = f"{self._spec.name}-{id_.lower()}"
        subnet = AzurermSubnet(
            self,
            id_,
            name=name,
            resource_group_name=self._place.group_name,
            virtual_network_name=self._network.name,
            address_prefixes=[str(block)],
            # Azure would otherwise give every machine a way out of its own, from an address that nobody chose. In a
            # delegated subnet it is the service that decides.
            default_outbound_access_enabled=None if delegated else False,
            # Without this a private endpoint is reached past the security group.
            private_endpoint_network_policies=None if delegated else "NetworkSecurityGroupEnabled",
            delegation=_to(delegated) if delegated else None,
            service_endpoint=[{"service": service} for service in services] or None,
        )
        firewall = Firewall(self, f"{id_}Firewall", name=name, place=self._place, subnet_id=subnet.id, lets_in=lets_in)
        self.firewalls.extend(firewall.ready)
        return subnet


def _to(service: str) -> list[AzurermSubnetDelegationBlock]:
    return [{"name": "service", "service_delegation": {"name": service, "actions": [JOIN]}}]
