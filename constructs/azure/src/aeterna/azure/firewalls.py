"""Network security groups: one for each subnet, which lets in what is named and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.network_security_group import AzurermNetworkSecurityGroup
from aeterna.azure.l1.network_security_rule import AzurermNetworkSecurityRule
from aeterna.azure.l1.subnet_network_security_group_association import AzurermSubnetNetworkSecurityGroupAssociation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.place import AzurePlace
    from aeterna.synth._cdk import ITerraformDependable
    from aeterna.synth.values import Text

NETWORK = "VirtualNetwork"
"""The network's own addresses and those of networks that it is connected to."""
PROBES = "AzureLoadBalancer"
ANY = "*"
LAST = 4096
FIRST = 100
STEP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What is let in: where from, by which protocol, to which ports."""

    name: str
    source: str
    ports: tuple[str, ...] = (ANY,)
    protocol: str = "Tcp"


class Firewall(Construct):
    """A security group on one subnet. Azure's own last rules let a whole network in; the last rule here comes first."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        place: AzurePlace,
        subnet_id: Text,
        lets_in: Sequence[Inbound],
    ) -> None:
        super().__init__(scope, id_)
        group = AzurermNetworkSecurityGroup(
            self, "Resource", name=name, location=place.location, resource_group_name=place.group_name
        )
        rules = [self._rule(group, place, rule, priority=FIRST + STEP * number) for number, rule in enumerate(lets_in)]
        nothing_else = AzurermNetworkSecurityRule(
            self,
            "DenyInbound",
            name="DenyInbound",
            network_security_group_name=group.name,
            resource_group_name=place.group_name,
            priority=LAST,
            direction="Inbound",
            access="Deny",
            protocol=ANY,
            source_address_prefix=ANY,
            source_port_range=ANY,
            destination_address_prefix=ANY,
            destination_port_range=ANY,
        )
        # On the subnet only once complete: a group without its rules would cut off what is already there.
        association = AzurermSubnetNetworkSecurityGroupAssociation(
            self,
            "Association",
            subnet_id=subnet_id,
            network_security_group_id=group.id,
            depends_on=[*rules, nothing_else],
        )
        self.ready: tuple[ITerraformDependable, ...] = (association,)

    def _rule(
        self, group: AzurermNetworkSecurityGroup, place: AzurePlace, rule: Inbound, *, priority: int
    ) -> AzurermNetworkSecurityRule:
        one = rule.ports[0] if len(rule.ports) == 1 else None
        return AzurermNetworkSecurityRule(
            self,
            rule.name,
            name=rule.name,
            network_security_group_name=group.name,
            resource_group_name=place.group_name,
            priority=priority,
            direction="Inbound",
            access="Allow",
            protocol=rule.protocol,
            source_address_prefix=rule.source,
            source_port_range=ANY,
            destination_address_prefix=ANY,
            destination_port_range=one,
            destination_port_ranges=None if one else rule.ports,
        )
