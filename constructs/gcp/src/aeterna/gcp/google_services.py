"""What a network lends to Google's managed services, so that databases and caches have addresses inside of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.gcp.l1.compute_global_address import GoogleComputeGlobalAddress
from aeterna.gcp.l1.network_connectivity_service_connection_policy import (
    GoogleNetworkConnectivityServiceConnectionPolicy,
)
from aeterna.gcp.l1.service_networking_connection import GoogleServiceNetworkingConnection
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.network import NetworkSpec
    from aeterna.gcp.subnet import Subnet
    from aeterna.synth._cdk import ITerraformDependable


@names_itself
class PrivateServices(Construct):
    """A range lent to Google and the peering that reaches it: Cloud SQL has its addresses there.

    When it is destroyed the peering is left behind: Google refuses to give it up for days after the last database in
    it is gone (terraform-provider-google#16275). A network made anew under the same name takes it over.
    """

    def __init__(self, scope: Construct, id_: str, spec: NetworkSpec, *, subnet: Subnet) -> None:
        super().__init__(scope, id_)
        network, block = subnet.network, subnet.ranges.google
        lent = GoogleComputeGlobalAddress(
            self,
            "Range",
            name=f"{spec.name}-google-services",
            address_type="INTERNAL",
            purpose="VPC_PEERING",
            network=network.id,
            address=str(block.network_address),
            prefix_length=block.prefixlen,
        )
        self.ready: ITerraformDependable = GoogleServiceNetworkingConnection(
            self,
            "Resource",
            network=network.id,
            service="servicenetworking.googleapis.com",
            reserved_peering_ranges=[lent.name],
            deletion_policy="ABANDON",
            update_on_creation_fail=True,
            depends_on=[subnet.place.service("servicenetworking")],
        )


@names_itself
class CachePolicy(Construct):
    """Lets Memorystore put endpoints of its caches into the subnet. A network has one such policy a region."""

    def __init__(self, scope: Construct, id_: str, spec: NetworkSpec, *, subnet: Subnet) -> None:
        super().__init__(scope, id_)
        self.ready: ITerraformDependable = GoogleNetworkConnectivityServiceConnectionPolicy(
            self,
            "Resource",
            name=f"{spec.name}-cache",
            location=subnet.place.region,
            service_class="gcp-memorystore",
            network=subnet.network.id,
            psc_config={"subnetworks": [subnet.resource.id]},
            depends_on=[subnet.place.service("networkconnectivity")],
        )
