"""The add-ons of a cluster, in the order in which nodes and pods need them; those that call AWS have an identity."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from constructs import Construct

from aeterna.aws.l1.eks_addon import AwsEksAddon
from aeterna.aws.roles import Role
from aeterna.aws.trust import from_pods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.aws.account import Account
    from aeterna.aws.keys import AwsKey
    from aeterna.aws.l1.eks_addon import AwsEksAddonPodIdentityAssociationBlock
    from aeterna.aws.l1.eks_cluster import AwsEksCluster
    from aeterna.aws.policy_document import Statement
    from aeterna.synth._cdk import ITerraformDependable

BEFORE_NODES = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
"""Without these a node never becomes ready."""
AFTER_NODES = ("coredns", "aws-ebs-csi-driver", "metrics-server")
"""These run as pods, and would wait for nodes until the add-on times out."""

SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {"vpc-cni": {"enableNetworkPolicy": "true"}}
"""What add-ons are told. Without it EKS takes network policies and lets everything through all the same."""

SYSTEM = "kube-system"

VOLUMES_POLICY = "AmazonEBSCSIDriverPolicyV2"
"""Reaches only the volumes and snapshots that the driver made and tagged; the policy before it reached every volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddonIdentity:
    """The role that one service account of an add-on acts as."""

    service_account: str
    role: Role

    def association(self) -> AwsEksAddonPodIdentityAssociationBlock:
        """Return the block of the add-on that binds the two."""
        return {"role_arn": self.role.arn, "service_account": self.service_account}


class Addons(Construct):
    """Managed add-ons, each with its own identity where ``identities`` gives it one.

    What someone changed in an add-on by hand is overwritten when it is created and kept when it is updated.
    """

    def __init__(
        self, scope: Construct, id_: str, *, plane: AwsEksCluster, identities: Mapping[str, AddonIdentity]
    ) -> None:
        super().__init__(scope, id_)
        self._plane = plane
        self._identities = identities
        self.installed: list[AwsEksAddon] = []

    def install(self, names: Sequence[str], *, after: Sequence[ITerraformDependable]) -> None:
        """Install the add-ons once ``after`` is there; each waits for the permissions of its own role too."""
        for name in names:
            identity = self._identities.get(name)
            permissions = [] if identity is None else identity.role.policies
            addon = AwsEksAddon(
                self,
                name,
                cluster_name=self._plane.name,
                addon_name=name,
                configuration_values=json.dumps(SETTINGS[name]) if name in SETTINGS else None,
                resolve_conflicts_on_create="OVERWRITE",
                resolve_conflicts_on_update="PRESERVE",
                pod_identity_association=None if identity is None else [identity.association()],
                tags={"Name": name},
                depends_on=[*permissions, *after],
            )
            self.installed.append(addon)


class AddonRoles(Construct):
    """The roles of the add-ons that call AWS: the pods' network, and the driver of encrypted volumes."""

    def __init__(self, scope: Construct, id_: str, *, plane: AwsEksCluster, account: Account, key: AwsKey) -> None:
        super().__init__(scope, id_)
        self._plane = plane
        self._account = account
        network = self._role("vpc-cni", service_account="aws-node")
        network.role.attach({"Network": account.managed_policy("AmazonEKS_CNI_Policy")})
        volumes = self._role("ebs-csi", service_account="ebs-csi-controller-sa")
        volumes.role.attach({"Volumes": account.managed_policy(VOLUMES_POLICY)})
        volumes.role.allow("Encrypt", *_encrypted_volumes(key))
        self.identities = {"vpc-cni": network, "aws-ebs-csi-driver": volumes}

    def _role(self, addon: str, *, service_account: str) -> AddonIdentity:
        trust = from_pods(
            account=self._account, cluster_arn=self._plane.arn, namespace=SYSTEM, service_account=service_account
        )
        # The literal name, not the attribute: its length is checked now.
        name = str(self._plane.arguments["name"])
        role = Role(self, addon, named=("ClusterSpec", "name", name), suffix=addon, trust=trust)
        return AddonIdentity(service_account=service_account, role=role)


def _encrypted_volumes(key: AwsKey) -> tuple[Statement, ...]:
    """Return what the driver needs for volumes under the key: to use it, and to let EC2 go on using it."""
    return (key.usage("UseKey", via="ec2"), key.attachment("AttachVolumes", via="ec2"))
