"""The way out of a network on Azure: one gateway that translates addresses, in every zone or in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.nat_gateway import AzurermNatGateway
from aeterna.azure.l1.nat_gateway_public_ip_association import AzurermNatGatewayPublicIpAssociation
from aeterna.azure.l1.public_ip import AzurermPublicIp
from aeterna.azure.l1.subnet_nat_gateway_association import AzurermSubnetNatGatewayAssociation
from aeterna.azure.regions import WITHOUT_ZONAL_EGRESS
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.network import Egress
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.azure.l1.subnet import AzurermSubnet
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.network import NetworkSpec
    from aeterna.synth._cdk import ITerraformDependable
    from aeterna.synth.values import Text

AS_MADE = Lifecycle(ignore_changes=["zones"])
"""Azure tells every zone of what stands in all of them, and may number them anew: neither is worth a new address."""

AS_WRITTEN = Lifecycle()
"""The provider knows that the gateway in every zone tells all of them, and refuses a plan that names any: ignoring what
is told would name them."""


@names_itself
class WayOut(Construct):
    """A gateway for the nodes. A subnet takes one only, and spans the zones, so a zone cannot have its own.

    What "one in every zone" is there for, a way out that outlives a zone, is a gateway of the kind StandardV2, which
    stands in all zones at once. The shared one is of the kind Standard and stands in the first zone.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: NetworkSpec, *, place: AzurePlace, nodes: AzurermSubnet, zone: Text
    ) -> None:
        super().__init__(scope, id_)
        everywhere = spec.egress is Egress.PER_ZONE
        if everywhere and place.location in WITHOUT_ZONAL_EGRESS:
            problem = f"{place.location!r} has no gateway yet that stands in every zone"
            raise InvalidSpecError("NetworkSpec", "egress", problem, "use Egress.SHARED, which stands in one of them")
        kind = "StandardV2" if everywhere else "Standard"
        zones = None if everywhere else [zone]
        # The provider takes one kind of address for an upgrade of the other, and Azure does not: another name replaces.
        name = f"{spec.name}-egress" if everywhere else f"{spec.name}-egress-shared"
        address = AzurermPublicIp(
            self,
            "Address",
            name=name,
            location=place.location,
            resource_group_name=place.group_name,
            allocation_method="Static",
            sku=kind,
            zones=zones,
            lifecycle=AS_MADE,
        )
        gateway = AzurermNatGateway(
            self,
            "Resource",
            name=name,
            location=place.location,
            resource_group_name=place.group_name,
            sku_name=kind,
            zones=zones,
            lifecycle=AS_WRITTEN if everywhere else AS_MADE,
        )
        addressed = AzurermNatGatewayPublicIpAssociation(
            self, "Addressed", nat_gateway_id=gateway.id, public_ip_address_id=address.id
        )
        association = AzurermSubnetNatGatewayAssociation(
            self, "Association", nat_gateway_id=gateway.id, subnet_id=nodes.id, depends_on=[addressed]
        )
        self.addresses = (Late(address.ip_address),)
        self.ready: tuple[ITerraformDependable, ...] = (addressed, association)
