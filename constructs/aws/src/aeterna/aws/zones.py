"""The subnets of a network: a private one in every zone, and the edge through which workloads may leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.l1.eip import AwsEip
from aeterna.aws.l1.internet_gateway import AwsInternetGateway
from aeterna.aws.l1.nat_gateway import AwsNatGateway
from aeterna.aws.l1.route import AwsRoute
from aeterna.aws.l1.route_table import AwsRouteTable
from aeterna.aws.l1.route_table_association import AwsRouteTableAssociation
from aeterna.aws.l1.subnet import AwsSubnet
from aeterna.contracts.late import Late
from aeterna.contracts.network import Egress
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.aws.l1.vpc import AwsVpc
    from aeterna.contracts.network import NetworkSpec
    from aeterna.synth._cdk import ITerraformDependable

ANYWHERE = "0.0.0.0/0"


@names_itself
class PrivateZones(Construct):
    """A private subnet in every zone, each with a route table of its own so that each can have its own way out.

    The tags are what the load balancer controller and Karpenter look for.
    """

    def __init__(self, scope: Construct, id_: str, spec: NetworkSpec, *, vpc: AwsVpc, zone_ids: Sequence[str]) -> None:
        super().__init__(scope, id_)
        self.vpc = vpc
        self.zone_ids = zone_ids
        self.placement = _placement(spec)
        self.subnets: list[AwsSubnet] = []
        self.tables: list[AwsRouteTable] = []
        self.associations: list[AwsRouteTableAssociation] = []
        for number, (zone_id, blocks) in enumerate(zip(zone_ids, spec.blocks(), strict=True), start=1):
            name = f"{spec.name}-private-{number}"
            subnet = AwsSubnet(
                self,
                f"Subnet{number}",
                vpc_id=vpc.id,
                availability_zone_id=zone_id,
                cidr_block=str(blocks.private),
                map_public_ip_on_launch=False,
                tags={"Name": name, "kubernetes.io/role/internal-elb": "1", "karpenter.sh/discovery": spec.name},
                lifecycle=self.placement,
            )
            table = AwsRouteTable(self, f"Routes{number}", vpc_id=vpc.id, tags={"Name": name})
            association = AwsRouteTableAssociation(
                self, f"Association{number}", subnet_id=subnet.id, route_table_id=table.id
            )
            self.associations.append(association)
            self.subnets.append(subnet)
            self.tables.append(table)


@names_itself
class Edge(Construct):
    """The only part of the network with public addresses: subnets for address translation and public load balancers.

    ``spec.egress`` decides whether every zone translates for itself or all leave through the first one's gateway.
    `ways` are every route on the way out: a node that starts before one of them cannot get out, and one that outlives
    it, while all is destroyed, cannot say goodbye.
    """

    def __init__(self, scope: Construct, id_: str, spec: NetworkSpec, *, private: PrivateZones) -> None:
        super().__init__(scope, id_)
        self._vpc = private.vpc
        self._gateway = AwsInternetGateway(self, "Gateway", vpc_id=self._vpc.id, tags={"Name": spec.name})
        self.ways: list[ITerraformDependable] = []
        subnets = self._subnets(spec, private)
        translating = subnets if spec.egress is Egress.PER_ZONE else subnets[:1]
        addresses: list[Late] = []
        ways_out: list[AwsNatGateway] = []
        for number, subnet in enumerate(translating, start=1):
            address = AwsEip(self, f"Address{number}", domain="vpc", tags={"Name": f"{spec.name}-egress-{number}"})
            way_out = AwsNatGateway(
                self,
                f"Translation{number}",
                allocation_id=address.id,
                subnet_id=subnet.id,
                tags={"Name": f"{spec.name}-egress-{number}"},
                depends_on=[self._gateway],
            )
            addresses.append(Late(address.public_ip))
            ways_out.append(way_out)
        self.ways.extend(
            AwsRoute(
                self,
                f"Egress{index + 1}",
                route_table_id=table.id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=ways_out[min(index, len(ways_out) - 1)].id,
            )
            for index, table in enumerate(private.tables)
        )
        self.addresses = tuple(addresses)

    def _subnets(self, spec: NetworkSpec, private: PrivateZones) -> list[AwsSubnet]:
        table = AwsRouteTable(self, "Routes", vpc_id=self._vpc.id, tags={"Name": f"{spec.name}-edge"})
        internet = AwsRoute(
            self,
            "Internet",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=self._gateway.id,
        )
        self.ways.append(internet)
        subnets: list[AwsSubnet] = []
        for number, (zone_id, blocks) in enumerate(zip(private.zone_ids, spec.blocks(), strict=True), start=1):
            subnet = AwsSubnet(
                self,
                f"Subnet{number}",
                vpc_id=self._vpc.id,
                availability_zone_id=zone_id,
                cidr_block=str(blocks.edge),
                map_public_ip_on_launch=False,
                tags={"Name": f"{spec.name}-edge-{number}", "kubernetes.io/role/elb": "1"},
                lifecycle=private.placement,
            )
            association = AwsRouteTableAssociation(
                self, f"Association{number}", subnet_id=subnet.id, route_table_id=table.id
            )
            self.ways.append(association)
            subnets.append(subnet)
        return subnets


def _placement(spec: NetworkSpec) -> Lifecycle:
    """Keep subnets where they were made: the region's list of zones changes, and must not replace a network.

    Zones that the spec pins are the customer's to change.
    """
    return Lifecycle(ignore_changes=None if spec.zone_ids else ["availability_zone_id"])
