"""Who may reach a store over the network: a security group that names its clients by theirs, never by addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from aeterna.aws.l1.security_group import AwsSecurityGroup
from aeterna.aws.l1.vpc_security_group_ingress_rule import AwsVpcSecurityGroupIngressRule
from aeterna.synth.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.aws.network import AwsNetwork


class StoreClient(Protocol):
    """Something whose pods or machines call a store, and the one security group that all of them carry.

    For an EKS cluster that is the primary group, which EKS makes and puts on every managed node; not a further one
    given to the control plane, with which nothing would ever connect.
    """

    @property
    def client_security_group_id(self) -> str:
        """Return the identifier of the group."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupClient:
    """A client that the customer already has, named by its security group."""

    client_security_group_id: str


class StoreAccess(Construct):
    """A security group that lets clients in on one port, and nobody else, and lets the store open no connection."""

    def __init__(self, scope: Construct, id_: str, *, name: str, network: AwsNetwork) -> None:
        super().__init__(scope, id_)
        group = AwsSecurityGroup(
            self,
            "Resource",
            # The service refuses a name that begins with "sg-", which a store's own name may.
            name_prefix=f"aeterna-{name}-",
            description=f"Who may reach {name}",
            vpc_id=network.outputs.network_id,
            tags={"Name": f"aeterna-{name}"},
            lifecycle=Lifecycle(create_before_destroy=True),
        )
        self.security_group_id = group.id


class Clients(Construct):
    """The rules that let each client into a store's security group on the store's port.

    A client's place in the sequence is its place in the tree: append new ones, or rules are made anew.
    """

    def __init__(
        self, scope: Construct, id_: str, *, security_group_id: str, port: int, clients: Sequence[StoreClient]
    ) -> None:
        super().__init__(scope, id_)
        for position, client in enumerate(clients):
            AwsVpcSecurityGroupIngressRule(
                self,
                f"Client{position}",
                security_group_id=security_group_id,
                description="A client",
                referenced_security_group_id=client.client_security_group_id,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
            )
