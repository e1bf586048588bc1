"""A cluster's nodes on Azure: pools of like machines over every zone, every disk under the customer's key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.kubernetes_cluster_node_pool import AzurermKubernetesClusterNodePool
from aeterna.contracts.cluster import TaintEffect
from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.l1.kubernetes_cluster import (
        AzurermKubernetesCluster,
        AzurermKubernetesClusterDefaultNodePoolBlock,
    )
    from aeterna.azure.network import AzureNetwork
    from aeterna.contracts.cluster import NodePoolSpec

MACHINE = "Standard_D4ds_v5"
"""The machine of a pool whose spec names none: 4 virtual CPUs and 16 GiB."""
MACHINE_NAME = re.compile(r"(?i:standard)_\w+")

POOL = re.compile(r"[a-z][a-z0-9]{0,11}")
TEMPORARY = "tmp"
LONGEST_POOL = 12
OS_IMAGE = "AzureLinux"
SURGE = "33%"
"""How many nodes more an upgrade may make, so that it takes none away before another one stands."""


@names_itself
class NodePool(Construct):
    """A pool beside the first one, which belongs to the cluster itself."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: NodePoolSpec,
        *,
        plane: AzurermKubernetesCluster,
        version: str,
        network: AzureNetwork,
    ) -> None:
        super().__init__(scope, id_)
        self.nodes = AzurermKubernetesClusterNodePool(
            self,
            "Resource",
            name=pool_name(spec),
            temporary_name_for_rotation=temporary_name(spec),
            kubernetes_cluster_id=plane.id,
            mode="User",
            orchestrator_version=version,
            vm_size=machine(spec),
            os_type="Linux",
            os_sku=OS_IMAGE,
            os_disk_type="Managed",
            os_disk_size_gb=spec.disk_gib,
            host_encryption_enabled=True,
            node_public_ip_enabled=False,
            vnet_subnet_id=network.nodes_subnet_id,
            zones=network.zones,
            auto_scaling_enabled=True,
            node_count=spec.fewest,
            min_count=spec.fewest,
            max_count=spec.most,
            node_labels=dict(spec.labels) or None,
            node_taints=[f"{taint.key}={taint.value}:{taint.effect}" for taint in spec.taints] or None,
            upgrade_settings={"max_surge": SURGE},
            # From the first apply on, the size is the autoscaler's: applying again must not drain nodes.
            lifecycle=Lifecycle(ignore_changes=["node_count"]),
        )


def first_pool(
    spec: NodePoolSpec, *, version: str, network: AzureNetwork
) -> AzurermKubernetesClusterDefaultNodePoolBlock:
    """Return the pool that the cluster's own parts run on, beside whatever else tolerates it."""
    return {
        "name": pool_name(spec),
        "temporary_name_for_rotation": temporary_name(spec),
        "type": "VirtualMachineScaleSets",
        "orchestrator_version": version,
        "vm_size": machine(spec),
        "os_sku": OS_IMAGE,
        "os_disk_type": "Managed",
        "os_disk_size_gb": spec.disk_gib,
        "host_encryption_enabled": True,
        "node_public_ip_enabled": False,
        "vnet_subnet_id": network.nodes_subnet_id,
        "zones": network.zones,
        "auto_scaling_enabled": True,
        "node_count": spec.fewest,
        "min_count": spec.fewest,
        "max_count": spec.most,
        "node_labels": dict(spec.labels) or None,
        "upgrade_settings": {"max_surge": SURGE},
    }


def ordered(pools: Sequence[NodePoolSpec]) -> tuple[NodePoolSpec, ...]:
    """Return the pools, the first one without taints in front: Azure takes none on the cluster's own pool.

    Raises `InvalidSpecError` where every pool has some, or where two would rotate through the same name.
    """
    _require_own_names(pools)
    for pool in pools:
        if not pool.taints:
            return (pool, *(other for other in pools if other is not pool))
    soft = all(taint.effect is TaintEffect.PREFER_NO_SCHEDULE for pool in pools for taint in pool.taints)
    problem = "every pool has taints, and AKS takes none on the pool of the cluster's own parts"
    remedy = "leave one pool untainted" + (": its pods may still prefer another" if soft else "")
    raise InvalidSpecError("ClusterSpec", "pools", problem, remedy)


def pool_name(spec: NodePoolSpec) -> str:
    """Return the pool's name, or refuse one that AKS would."""
    if not POOL.fullmatch(spec.name):
        problem = f"{spec.name!r} is not the name of a pool on AKS"
        remedy = "use at most 12 lower-case letters and digits, beginning with a letter"
        raise InvalidSpecError("NodePoolSpec", "name", problem, remedy)
    return spec.name


def temporary_name(spec: NodePoolSpec) -> str:
    """Return the name of the pool that takes the nodes over while theirs are replaced."""
    return f"{pool_name(spec)[: LONGEST_POOL - len(TEMPORARY)]}{TEMPORARY}"


def machine(spec: NodePoolSpec) -> str:
    """Return the pool's machine, or refuse several: a pool on AKS is of one kind."""
    if len(spec.machines) > 1:
        problem = f"{', '.join(spec.machines)} are several machines, and a pool on AKS is of one"
        raise InvalidSpecError("NodePoolSpec", "machines", problem, "give each machine a pool of its own")
    for name in spec.machines:
        if not MACHINE_NAME.fullmatch(name):
            problem = f"{name!r} is not a machine of Azure"
            raise InvalidSpecError("NodePoolSpec", "machines", problem, f"write one such as {MACHINE}")
    return spec.machines[0] if spec.machines else MACHINE


def _require_own_names(pools: Sequence[NodePoolSpec]) -> None:
    taken: dict[str, str] = {}
    for pool in pools:
        for name in (pool_name(pool), temporary_name(pool)):
            if name in taken:
                problem = f"{pool.name!r} and {taken[name]!r} would both use the name {name!r} while nodes are replaced"
                raise InvalidSpecError("NodePoolSpec", "name", problem, "let their first nine letters differ")
            taken[name] = pool.name
