"""The one private subnet of a network: all zones of the region, with ranges for pods and services, and flow logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.gcp.l1.compute_network import GoogleComputeNetwork
from aeterna.gcp.l1.compute_subnetwork import GoogleComputeSubnetwork
from aeterna.gcp.place import GcpPlace
from aeterna.gcp.ranges import Ranges, carve_region

if TYPE_CHECKING:
    from ipaddress import IPv4Network

    from constructs import Construct

    from aeterna.contracts.network import NetworkSpec
    from aeterna.gcp.l1.compute_subnetwork import GoogleComputeSubnetworkSecondaryIpRangeBlock

PODS = "pods"
SERVICES = "services"
EVERY_FLOW = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """A subnet, the network that it is in, and the parts of the network's block."""

    place: GcpPlace
    network: GoogleComputeNetwork
    resource: GoogleComputeSubnetwork
    ranges: Ranges

    def serve(self, services: IPv4Network) -> None:
        """Give the subnet a second range, for the services of a cluster."""
        ranges = [_range(PODS, self.ranges.pods), _range(SERVICES, services)]
        self.resource.replace("secondary_ip_range", ranges)


def private_subnet(
    scope: Construct, id_: str, spec: NetworkSpec, *, place: GcpPlace, network: GoogleComputeNetwork, block: IPv4Network
) -> Subnet:
    """Make the subnet of a network. Its flows are told by the minute, every one of them."""
    ranges = carve_region(block)
    subnetwork = GoogleComputeSubnetwork(
        scope,
        id_,
        name=subnet_name(spec),
        region=place.region,
        network=network.id,
        ip_cidr_range=str(ranges.nodes),
        secondary_ip_range=[_range(PODS, ranges.pods)],
        private_ip_google_access=True,
        stack_type="IPV4_ONLY",
        log_config={
            "aggregation_interval": "INTERVAL_1_MIN",
            "flow_sampling": EVERY_FLOW,
            "metadata": "INCLUDE_ALL_METADATA",
        },
    )
    return Subnet(place=place, network=network, resource=subnetwork, ranges=ranges)


def subnet_name(spec: NetworkSpec) -> str:
    """Return the subnet's name, which its flow logs carry."""
    return f"{spec.name}-private"


def _range(name: str, block: IPv4Network) -> GoogleComputeSubnetworkSecondaryIpRangeBlock:
    return {"range_name": name, "ip_cidr_range": str(block)}
