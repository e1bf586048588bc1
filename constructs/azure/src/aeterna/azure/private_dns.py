"""Private DNS zones: the names under which a network finds the private addresses of Azure's services."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.data_private_dns_zone import DataAzurermPrivateDnsZone
from aeterna.azure.l1.private_dns_zone import AzurermPrivateDnsZone
from aeterna.azure.l1.private_dns_zone_virtual_network_link import AzurermPrivateDnsZoneVirtualNetworkLink
from aeterna.azure.names import digest, shortened
from aeterna.contracts.late import Late
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.azure.place import AzurePlace
    from aeterna.synth._cdk import ITerraformDependable
    from aeterna.synth.values import Text

ZONES: Mapping[str, str] = MappingProxyType(
    {
        "blob": "privatelink.blob.core.windows.net",
        "dfs": "privatelink.dfs.core.windows.net",
        "redis": "privatelink.redis.azure.net",
        "registry": "privatelink.azurecr.io",
        "vault": "privatelink.vaultcore.azure.net",
    }
)
"""The zone of each service that has private endpoints (Azure documentation, "Private endpoint DNS zone values")."""

POSTGRES = "privatelink.postgres.database.azure.com"
"""For servers inside the network, which have no endpoint. A zone named after the server would be refused."""

LONGEST_LINK = 71


def kubernetes_zone(location: str) -> str:
    """Return the zone in which the API of a cluster has its name that stands in the network itself.

    One that is reached through a private link has it in ``privatelink.<region>.azmk8s.io``; AKS takes neither for the
    other (AKS documentation, "Create a private AKS cluster", on the private DNS zone).
    """
    return f"private.{location}.azmk8s.io"


class PrivateZone(Construct):
    """One zone, linked to the network that made it. What is found through it waits for `ready`."""

    def __init__(
        self, scope: Construct, id_: str, name: str, *, place: AzurePlace, network_name: str, network_id: Text
    ) -> None:
        super().__init__(scope, id_)
        zone = AzurermPrivateDnsZone(self, "Resource", name=name, resource_group_name=place.group_name)
        self.name = name
        self.id = Late(zone.id)
        self.ready: tuple[ITerraformDependable, ...] = (self.link(self, "Link", network_name, network_id),)

    @classmethod
    def existing(cls, scope: Construct, id_: str, name: str, *, group: str) -> PrivateZone:
        """Take a zone that the customer already has and has linked, such as that of a hub."""
        return _ExistingZone(scope, id_, name, group=group)

    def link(
        self, scope: Construct, id_: str, network_name: str, network_id: Text
    ) -> AzurermPrivateDnsZoneVirtualNetworkLink:
        """Let one more network find what is in the zone."""
        return AzurermPrivateDnsZoneVirtualNetworkLink(
            scope,
            id_,
            # A zone takes no two links of one name, and two networks may have the same.
            name=f"{shortened(network_name, longest=LONGEST_LINK)}-{digest(scope.node.path, id_)}",
            private_dns_zone_id=self.id,
            virtual_network_id=network_id,
            registration_enabled=False,
        )


@names_itself
class _ExistingZone(PrivateZone):
    """A zone that is only looked up."""

    def __init__(self, scope: Construct, id_: str, name: str, *, group: str) -> None:
        Construct.__init__(self, scope, id_)
        found = DataAzurermPrivateDnsZone(self, "Resource", name=name, resource_group_name=group)
        self.name = name
        self.id = Late(found.id)
        self.ready = (found,)
