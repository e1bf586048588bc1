"""The way out of a network: address translation by Cloud NAT, with addresses that stay the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.late import Late
from aeterna.contracts.network import Egress
from aeterna.gcp.l1.compute_address import GoogleComputeAddress
from aeterna.gcp.l1.compute_route import GoogleComputeRoute
from aeterna.gcp.l1.compute_router import GoogleComputeRouter
from aeterna.gcp.l1.compute_router_nat import GoogleComputeRouterNat
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.network import NetworkSpec
    from aeterna.gcp.subnet import Subnet
    from aeterna.synth._cdk import ITerraformDependable

ANYWHERE = "0.0.0.0/0"
PRIVATE_ASN = 64514
FEWEST_PORTS = 64
MOST_PORTS = 8192


@names_itself
class WayOut(Construct):
    """Cloud NAT for one subnet. It is a service of the region and has no machine: losing a zone does not stop it.

    ``PER_ZONE`` buys an address for each zone, so that as many more connections fit; ``SHARED`` buys one. `ready` is
    what a node has to wait for.
    """

    def __init__(self, scope: Construct, id_: str, spec: NetworkSpec, *, subnet: Subnet) -> None:
        super().__init__(scope, id_)
        network, region = subnet.network, subnet.place.region
        route = GoogleComputeRoute(
            self,
            "Route",
            name=f"{spec.name}-internet",
            description="To the internet, for what is translated",
            network=network.id,
            dest_range=ANYWHERE,
            next_hop_gateway="default-internet-gateway",
        )
        router = GoogleComputeRouter(
            self,
            "Router",
            name=f"{spec.name}-egress",
            region=region,
            network=network.id,
            bgp={"asn": PRIVATE_ASN},
        )
        count = spec.zones if spec.egress is Egress.PER_ZONE else 1
        addresses = [
            GoogleComputeAddress(
                self,
                f"Address{number}",
                name=f"{spec.name}-egress-{number}",
                region=region,
                address_type="EXTERNAL",
                network_tier="PREMIUM",
            )
            for number in range(1, count + 1)
        ]
        translation = GoogleComputeRouterNat(
            self,
            "Translation",
            name=f"{spec.name}-egress",
            region=region,
            router=router.name,
            nat_ip_allocate_option="MANUAL_ONLY",
            nat_ips=[address.self_link for address in addresses],
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetwork=[{"name": subnet.resource.id, "source_ip_ranges_to_nat": ["ALL_IP_RANGES"]}],
            # A node with many pods takes ports as it needs them; a fixed share runs out on the busy ones.
            enable_dynamic_port_allocation=True,
            enable_endpoint_independent_mapping=False,
            min_ports_per_vm=FEWEST_PORTS,
            max_ports_per_vm=MOST_PORTS,
            log_config={"enable": True, "filter": "ERRORS_ONLY"},
        )
        self.addresses = tuple(Late(address.address) for address in addresses)
        self.ready: tuple[ITerraformDependable, ...] = (route, translation)
