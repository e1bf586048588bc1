"""Connects two networks of Azure, both ways; each stays behind its own firewalls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.virtual_network_peering import AzurermVirtualNetworkPeering

if TYPE_CHECKING:
    from aeterna.azure.network import AzureNetwork
    from aeterna.synth._cdk import ITerraformDependable


class Peering(Construct):
    """One half of the connection in each network. What crosses it waits for `ready`."""

    def __init__(self, scope: Construct, id_: str, *, one: AzureNetwork, other: AzureNetwork) -> None:
        super().__init__(scope, id_)
        self.ready: tuple[ITerraformDependable, ...] = (
            self._half("There", one, other),
            self._half("Back", other, one),
        )

    def _half(self, id_: str, here: AzureNetwork, there: AzureNetwork) -> AzurermVirtualNetworkPeering:
        return AzurermVirtualNetworkPeering(
            self,
            id_,
            name=f"to-{there.label}",
            resource_group_name=here.group_name,
            virtual_network_name=here.name,
            remote_virtual_network_id=there.network_id,
            allow_virtual_network_access=True,
            allow_forwarded_traffic=False,
            allow_gateway_transit=False,
            use_remote_gateways=False,
        )
