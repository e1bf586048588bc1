"""The private network on AWS: a VPC over several zones, with flow logs and private endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.endpoints import ENDPOINT_SERVICES, PrivateEndpoints
from aeterna.aws.flow_logs import FlowLogs
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.data_availability_zones import DataAwsAvailabilityZones
from aeterna.aws.l1.data_subnet import DataAwsSubnet
from aeterna.aws.l1.data_vpc import DataAwsVpc
from aeterna.aws.l1.default_security_group import AwsDefaultSecurityGroup
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.aws.regions import region_of
from aeterna.aws.zones import Edge, PrivateZones
from aeterna.contracts.addresses import parse_block
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_distinct
from aeterna.contracts.network import FEWEST_ZONES, Egress, NetworkOutputs
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network

    from aeterna.contracts.network import NetworkSpec
    from aeterna.synth._cdk import ITerraformDependable

UNSUPPORTED_ZONES = ("cac1-az3", "use1-az3", "usw1-az2")
"""Zones in which EKS places no control plane (EKS User Guide, "Subnet requirements for clusters")."""


REGIONS_OF_TWO_ZONES = ("us-west-1",)
"""Regions that offer an account two zones only (AWS, "Regions and Availability Zones")."""


@names_itself
class AwsNetwork(Construct):
    """A VPC whose workloads sit in private subnets, with address translation, endpoints and flow logs beside them.

    ``key`` encrypts the flow logs; left out, they get a key of their own. ``services`` are the AWS services that
    are reached through interface endpoints. `ready` is what a node has to wait for: without a way out or the endpoints
    it could not join its cluster.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: NetworkSpec,
        *,
        key: AwsKey | None = None,
        services: Sequence[str] = ENDPOINT_SERVICES,
    ) -> None:
        super().__init__(scope, id_)
        self.block: IPv4Network | None = parse_block("NetworkSpec", "cidr", spec.cidr)
        vpc = AwsVpc(
            self,
            "Resource",
            cidr_block=spec.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags={"Name": spec.name},
        )
        # A VPC's own group lets everything in it talk to everything; nothing of ours is in it, and now nothing can be.
        AwsDefaultSecurityGroup(self, "DefaultSecurityGroup", vpc_id=vpc.id, tags={"Name": f"{spec.name}-closed"})
        zone_ids = self._zone_ids(spec)
        private = PrivateZones(self, "Private", spec, vpc=vpc, zone_ids=zone_ids)
        addresses: tuple[Late, ...] = ()
        ready: list[ITerraformDependable] = [*private.associations]
        if spec.egress is not Egress.NONE:
            edge = Edge(self, "Edge", spec, private=private)
            addresses = edge.addresses
            ready.extend(edge.ways)
        if spec.private_endpoints:
            endpoints = PrivateEndpoints(self, "Endpoints", spec, private=private, services=services)
            ready.extend(endpoints.ways)
        self.ready: tuple[ITerraformDependable, ...] = tuple(ready)
        logs_key = key or AwsKey(self, "FlowLogsKey", KeySpec(purpose="flow-logs", environment=spec.name))
        FlowLogs(self, "FlowLogs", spec, vpc=vpc, key=logs_key)
        self.outputs = NetworkOutputs(
            network_id=Late(vpc.id),
            cidr=Late(vpc.cidr_block),
            private_subnet_ids=tuple(Late(subnet.id) for subnet in private.subnets),
            zones=tuple(Late(subnet.availability_zone_id) for subnet in private.subnets),
            egress_addresses=addresses,
        )

    @classmethod
    def existing(
        cls, scope: Construct, id_: str, *, vpc_id: str, private_subnet_ids: Sequence[str], cidr: str | None = None
    ) -> AwsNetwork:
        """Take a network that the customer already has.

        Each subnet is looked up inside that VPC, so that one of another VPC is refused when it is planned. ``cidr``
        is only needed to have overlaps with a cluster's services refused at synthesis.
        """
        # A text is a sequence of its letters, which no type checker minds.
        subnets = (private_subnet_ids,) if isinstance(private_subnet_ids, str) else tuple(private_subnet_ids)
        return _ExistingNetwork(scope, id_, vpc_id=vpc_id, private_subnet_ids=subnets, cidr=cidr)

    @property
    def vpc_id(self) -> str:
        """Return the VPC's id."""
        return self.outputs.network_id

    @property
    def cidr(self) -> str:
        """Return the VPC's address block, known once it exists; `block` is the one known now, if any."""
        return self.outputs.cidr

    @property
    def private_subnet_ids(self) -> tuple[Late, ...]:
        """Return the ids of the private subnets, one in each zone."""
        return self.outputs.private_subnet_ids

    def _zone_ids(self, spec: NetworkSpec) -> tuple[str, ...]:
        unsupported = sorted(set(spec.zone_ids) & set(UNSUPPORTED_ZONES))
        if unsupported:
            raise InvalidSpecError(
                "NetworkSpec", "zone_ids", f"EKS has no control plane in {', '.join(unsupported)}", "choose other zones"
            )
        if spec.zone_ids:
            return spec.zone_ids
        region = region_of(self)
        if region in REGIONS_OF_TWO_ZONES and spec.zones > FEWEST_ZONES:
            raise InvalidSpecError(
                "NetworkSpec",
                "zones",
                f"{region} offers two zones to an account, and {spec.zones} are wanted",
                "use zones=2, or another region",
            )
        offered = DataAwsAvailabilityZones(
            self,
            "Zones",
            state="available",
            exclude_zone_ids=UNSUPPORTED_ZONES,
            filter=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}],
        )
        return tuple(offered.get_string_attribute(f"zone_ids[{index}]") for index in range(spec.zones))


@names_itself
class _ExistingNetwork(AwsNetwork):
    """A network that is only looked up."""

    def __init__(
        self, scope: Construct, id_: str, *, vpc_id: str, private_subnet_ids: tuple[str, ...], cidr: str | None
    ) -> None:
        Construct.__init__(self, scope, id_)
        require_distinct("AwsNetwork", "private_subnet_ids", private_subnet_ids)
        if len(private_subnet_ids) < FEWEST_ZONES:
            raise InvalidSpecError(
                "AwsNetwork",
                "private_subnet_ids",
                f"{len(private_subnet_ids)} subnets cannot hold a highly available database or control plane",
                f"give private subnets of at least {FEWEST_ZONES} zones",
            )
        self.block = None if cidr is None else parse_block("AwsNetwork", "cidr", cidr)
        self.ready = ()
        vpc = DataAwsVpc(self, "Resource", id=vpc_id)
        subnets = [
            DataAwsSubnet(self, f"Subnet{number}", id=subnet_id, vpc_id=vpc.id)
            for number, subnet_id in enumerate(private_subnet_ids, start=1)
        ]
        self.outputs = NetworkOutputs(
            network_id=Late(vpc.id),
            cidr=Late(vpc.cidr_block),
            private_subnet_ids=tuple(Late(subnet.id) for subnet in subnets),
            zones=tuple(Late(subnet.availability_zone_id) for subnet in subnets),
            egress_addresses=(),
        )
