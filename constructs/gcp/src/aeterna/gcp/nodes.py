"""A cluster's nodes: pools that grow and shrink, of shielded machines whose disks are under the customer's key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.cluster import TaintEffect
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.naming import suffixed
from aeterna.gcp.identity import LONGEST_ACCOUNT
from aeterna.gcp.l1.container_node_pool import GoogleContainerNodePool
from aeterna.gcp.l1.project_iam_member import GoogleProjectIamMember
from aeterna.gcp.l1.service_account import GoogleServiceAccount
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.cluster import NodePoolSpec, Taint
    from aeterna.contracts.late import Late
    from aeterna.gcp.l1.container_cluster import GoogleContainerCluster, GoogleContainerClusterNodeConfigBlock
    from aeterna.gcp.l1.container_node_pool import (
        GoogleContainerNodePoolNodeConfigBlock,
        GoogleContainerNodePoolNodeConfigTaintBlock,
    )
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

MACHINE = "n2-standard-4"
"""The machine of a pool whose spec names none: 4 virtual CPUs and 16 GiB, offered in every region."""
MACHINE_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+")

HYPERDISK_MACHINE = re.compile(r"(?:[cn]4[ad]?|x4|m4|h4d|z4d|a4x?|g4)-.+")
"""Families from the fourth generation on take no Persistent Disk (Compute Engine documentation, "Machine series")."""

ARM_MACHINE = re.compile(r"(?:t2a|[cn]4a|a4x)-.+")
NODE_ROLE = "roles/container.defaultNodeServiceAccount"
"""Logs, metrics and what the kubelet needs; images are granted with the registry that holds them."""

EVERYTHING_THAT_IAM_ALLOWS = "https://www.googleapis.com/auth/cloud-platform"

EFFECTS = {
    TaintEffect.NO_SCHEDULE: "NO_SCHEDULE",
    TaintEffect.PREFER_NO_SCHEDULE: "PREFER_NO_SCHEDULE",
    TaintEffect.NO_EXECUTE: "NO_EXECUTE",
}


class NodeAccount(Construct):
    """The account that a cluster's nodes run as, which may do no more than a node has to."""

    def __init__(self, scope: Construct, id_: str, *, cluster: str, place: GcpPlace) -> None:
        super().__init__(scope, id_)
        account = GoogleServiceAccount(
            self,
            "Resource",
            account_id=suffixed("ClusterSpec", "name", cluster, "nodes", longest=LONGEST_ACCOUNT),
            display_name=f"Nodes of {cluster}",
            depends_on=[place.service("iam")],
        )
        self.email = account.email
        self.member = account.member
        self.role: ITerraformDependable = GoogleProjectIamMember(
            self, "Role", project=place.project, role=NODE_ROLE, member=account.member
        )


@names_itself
class NodePool(Construct):
    """One pool over every zone of the cluster, whose bounds count its nodes in all zones together."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: NodePoolSpec,
        *,
        plane: GoogleContainerCluster,
        zones: int,
        account: NodeAccount,
        key_id: Late | str,
        after: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id_)
        self.resource = GoogleContainerNodePool(
            self,
            "Resource",
            cluster=plane.id,
            location=plane.location,
            name_prefix=f"{spec.name}-",
            initial_node_count=-(-spec.fewest // zones),  # of each zone, rounded up
            autoscaling={
                "total_min_node_count": spec.fewest,
                "total_max_node_count": spec.most,
                "location_policy": "BALANCED",
            },
            management={"auto_repair": True, "auto_upgrade": True},
            upgrade_settings={"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0},
            network_config={"enable_private_nodes": True},
            node_config=node_config(spec, account=account, key_id=key_id),
            depends_on=list(after),
            lifecycle=Lifecycle(
                create_before_destroy=True,
                # From the first apply on, the size is the autoscaler's: another one here would replace the pool.
                ignore_changes=["initial_node_count"],
            ),
        )


def node_config(
    spec: NodePoolSpec, *, account: NodeAccount, key_id: Late | str
) -> GoogleContainerNodePoolNodeConfigBlock:
    """Return what each node of the pool is. Raises `InvalidSpecError` for a pool of several machines."""
    machine = machine_type(spec)
    config: GoogleContainerNodePoolNodeConfigBlock = {
        "machine_type": machine,
        "image_type": "COS_CONTAINERD",
        "disk_size_gb": spec.disk_gib,
        "disk_type": "hyperdisk-balanced" if HYPERDISK_MACHINE.fullmatch(machine) else "pd-balanced",
        "boot_disk_kms_key": key_id,
        "service_account": account.email,
        "oauth_scopes": [EVERYTHING_THAT_IAM_ALLOWS],
        "labels": dict(spec.labels) or None,
        "taint": [_taint(taint) for taint in spec.taints],
        "metadata": {"disable-legacy-endpoints": "true"},
        "gvnic": {"enabled": True},
        "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
        # Without it a pod would take the node's account from the machine's own metadata service.
        "workload_metadata_config": {"mode": "GKE_METADATA"},
        # Left out beside another setting, the provider says no to the quota, and no limit of a pod's processors holds.
        "kubelet_config": {"insecure_kubelet_readonly_port_enabled": "FALSE", "cpu_cfs_quota": True},
    }
    if ARM_MACHINE.fullmatch(machine):
        # GKE keeps every pod that does not say so off Arm nodes; the spec's own taints are the only ones.
        config["taint_config"] = {"architecture_taint_behavior": "NONE"}
    return config


def first_node_config(account: NodeAccount, *, key_id: Late | str) -> GoogleContainerClusterNodeConfigBlock:
    """Return what the node of the first pool is, which GKE insists on and which is removed again at once.

    A policy that wants the customer's key everywhere, or forbids the project's default account, refuses it otherwise.
    """
    return {
        "machine_type": MACHINE,
        "boot_disk_kms_key": key_id,
        "service_account": account.email,
        "oauth_scopes": [EVERYTHING_THAT_IAM_ALLOWS],
        "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
        "workload_metadata_config": {"mode": "GKE_METADATA"},
    }


def machine_type(spec: NodePoolSpec) -> str:
    """Return the machine of the pool, or refuse several: one pool of GKE has one."""
    if len(spec.machines) > 1:
        problem = f"{', '.join(spec.machines)} are several machines, and a pool of GKE has one"
        raise InvalidSpecError("NodePoolSpec", "machines", problem, "give each machine a pool of its own")
    for machine in spec.machines:
        if not MACHINE_NAME.fullmatch(machine):
            problem = f"{machine!r} is not a machine of Compute Engine"
            raise InvalidSpecError("NodePoolSpec", "machines", problem, f"write one such as {MACHINE}")
    return spec.machines[0] if spec.machines else MACHINE


def _taint(taint: Taint) -> GoogleContainerNodePoolNodeConfigTaintBlock:
    return {"key": taint.key, "value": taint.value, "effect": EFFECTS[taint.effect]}
