"""The private network on Google Cloud: one subnet over all zones of a region, with flow logs and private endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.addresses import parse_block, require_disjoint
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.network import Egress, NetworkOutputs
from aeterna.gcp.egress import WayOut
from aeterna.gcp.endpoints import PrivateEndpoint
from aeterna.gcp.firewall import Firewall
from aeterna.gcp.google_services import CachePolicy, PrivateServices
from aeterna.gcp.l1.compute_network import GoogleComputeNetwork
from aeterna.gcp.l1.data_compute_network import DataGoogleComputeNetwork
from aeterna.gcp.l1.data_compute_subnetwork import DataGoogleComputeSubnetwork
from aeterna.gcp.log_bucket import LogBucket
from aeterna.gcp.regions import require_zone
from aeterna.gcp.subnet import private_subnet, subnet_name
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from ipaddress import IPv4Network

    from aeterna.contracts.network import NetworkSpec
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable


@names_itself
class GcpNetwork(Construct):
    """A network whose workloads sit in one private subnet, with address translation, endpoints and flow logs.

    A subnet spans all zones of its region; the zones are where clusters and stores are placed. `ready` is what a node
    has to wait for, `private_services` what Cloud SQL has to, and `cache_policy` what Memorystore has to.
    """

    def __init__(self, scope: Construct, id_: str, spec: NetworkSpec, *, place: GcpPlace, key: GcpKey) -> None:
        super().__init__(scope, id_)
        self.name, self.region = spec.name, place.region
        block = parse_block("NetworkSpec", "cidr", spec.cidr)
        network = GoogleComputeNetwork(
            self,
            "Resource",
            name=spec.name,
            auto_create_subnetworks=False,
            delete_default_routes_on_create=True,
            routing_mode="REGIONAL",
            depends_on=[place.service("compute")],
        )
        subnet = private_subnet(self, "Private", spec, place=place, network=network, block=block)
        self._subnet = subnet
        self.block: IPv4Network | None = block
        self.pods: IPv4Network | None = subnet.ranges.pods
        self._services: IPv4Network | None = None
        Firewall(self, "Firewall", spec, network=network)
        self.private_services = PrivateServices(self, "PrivateServices", spec, subnet=subnet).ready
        self.cache_policy = CachePolicy(self, "CachePolicy", spec, subnet=subnet).ready
        addresses: tuple[Late, ...] = ()
        ready: list[ITerraformDependable] = [subnet.resource]
        if spec.egress is not Egress.NONE:
            way_out = WayOut(self, "Egress", spec, subnet=subnet)
            addresses = way_out.addresses
            ready.extend(way_out.ready)
        if spec.private_endpoints:
            ready.extend(PrivateEndpoint(self, "Endpoint", spec, subnet=subnet).ready)
        self.ready: tuple[ITerraformDependable, ...] = tuple(ready)
        LogBucket(
            self,
            "FlowLogs",
            name=f"{spec.name}-flows",
            wanted=_flows(spec),
            days=spec.flow_log_days,
            asked=("NetworkSpec", "flow_log_days"),
            place=place,
            key=key,
        )
        self.outputs = NetworkOutputs(
            network_id=Late(network.id),
            cidr=Late(subnet.resource.ip_cidr_range),
            private_subnet_ids=(Late(subnet.resource.id),),
            zones=_zones(spec, place),
            egress_addresses=addresses,
        )

    @classmethod
    def existing(
        cls,
        scope: Construct,
        id_: str,
        *,
        network: str,
        subnetwork: str,
        pods_range: str,
        services_range: str,
        place: GcpPlace,
        zones: tuple[str, ...] = (),
    ) -> GcpNetwork:
        """Take a network that the customer already has, by the names of its parts in the place's project and region.

        Network and subnet are looked up, so that a wrong one fails when it is planned. The ranges are secondary ranges
        of the subnet. Cloud SQL needs a private services connection in the network, and Memorystore a service
        connection policy of the class ``gcp-memorystore``: both have to be there.
        """
        return _ExistingNetwork(
            scope,
            id_,
            names=(network, subnetwork),
            ranges=(pods_range, services_range),
            place=place,
            zones=zones,
        )

    @property
    def network_id(self) -> Late:
        """Return the network's identifier, ``projects/…/global/networks/…``."""
        return self.outputs.network_id

    @property
    def subnetwork_id(self) -> Late:
        """Return the identifier of the one subnet."""
        return self.outputs.private_subnet_ids[0]

    @property
    def zones(self) -> tuple[Late, ...]:
        """Return the names of the zones that the spec asks for."""
        return self.outputs.zones

    @property
    def pods_range(self) -> Late:
        """Return the name of the secondary range that pods have their addresses from."""
        return Late(str(self._subnet.resource.secondary_ip_range[0].range_name))

    def services_range(self, cidr: str) -> Late:
        """Return the name of the secondary range for the services of a cluster, which is made with this block.

        The range is the subnet's, so that the network is applied with it before the cluster exists. Raises
        `InvalidSpecError` where it overlaps the network, or a second cluster asks for another one.
        """
        block = parse_block("ClusterSpec", "service_cidr", cidr)
        if self._services is None:
            if self.block is not None:
                require_disjoint("ClusterSpec", "service_cidr", block, self.block, "the network's own block")
            self._services = block
            self._subnet.serve(block)
        elif self._services != block:
            problem = f"another cluster of the network has its services in {self._services}"
            raise InvalidSpecError("ClusterSpec", "service_cidr", problem, "use the same block, or another network")
        return Late(str(self._subnet.resource.secondary_ip_range[1].range_name))


@names_itself
class _ExistingNetwork(GcpNetwork):
    """A network that is only looked up."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: tuple[str, str],
        ranges: tuple[str, str],
        place: GcpPlace,
        zones: tuple[str, ...],
    ) -> None:
        Construct.__init__(self, scope, id_)
        self.name, self.region = names[0], place.region
        self.block = self.pods = None
        self._ranges = ranges
        for zone in zones:
            require_zone("GcpNetwork", "zones", zone, region=place.region)
        network = DataGoogleComputeNetwork(self, "Resource", name=names[0])
        subnetwork = DataGoogleComputeSubnetwork(self, "Private", name=names[1], region=place.region)
        self.private_services = self.cache_policy = network
        self.ready = ()
        self.outputs = NetworkOutputs(
            network_id=Late(network.id),
            cidr=Late(subnetwork.ip_cidr_range),
            private_subnet_ids=(Late(subnetwork.id),),
            zones=tuple(place.zone_named(zone) for zone in zones) or tuple(place.zone(index) for index in range(3)),
            egress_addresses=(),
        )

    @property
    def pods_range(self) -> Late:
        """Return the name that was given."""
        return Late(self._ranges[0])

    def services_range(self, cidr: str) -> Late:  # noqa: ARG002 - what is looked up has its block already
        """Return the name that was given; the block is the range's own."""
        return Late(self._ranges[1])


def _zones(spec: NetworkSpec, place: GcpPlace) -> tuple[Late, ...]:
    for zone in spec.zone_ids:
        require_zone("NetworkSpec", "zone_ids", zone, region=place.region)
    pinned = tuple(place.zone_named(zone) for zone in spec.zone_ids)
    return pinned or tuple(place.zone(index) for index in range(spec.zones))


def _flows(spec: NetworkSpec) -> str:
    """Return the filter for what flowed through the subnet, and for what the firewall refused there."""
    return f'resource.type="gce_subnetwork" AND resource.labels.subnetwork_name="{subnet_name(spec)}"'
