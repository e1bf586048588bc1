"""A cluster's nodes: managed groups that encrypt every disk and close the metadata service to pods."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.l1.eks_node_group import AwsEksNodeGroup
from aeterna.aws.l1.launch_template import AwsLaunchTemplate
from aeterna.contracts.cluster import TaintEffect
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.naming import suffixed
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.aws.keys import AwsKey
    from aeterna.aws.l1.eks_cluster import AwsEksCluster
    from aeterna.aws.l1.eks_node_group import AwsEksNodeGroupTaintBlock
    from aeterna.aws.roles import Role
    from aeterna.contracts.cluster import NodePoolSpec, Taint
    from aeterna.synth._cdk import ITerraformDependable

MACHINES = ("m7i.xlarge", "m6i.xlarge")
"""The machines of a pool whose spec names none: 4 virtual CPUs and 16 GiB; two generations ride out a shortage."""

INTEL_IMAGE = "AL2023_x86_64_STANDARD"
ARM_IMAGE = "AL2023_ARM_64_STANDARD"
MACHINE_NAME = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
ARM_MACHINE = re.compile(r"a1\..+|[a-z]+\d+[a-z]*g[a-z]*\..+")
"""After its generation, a machine's family carries a ``g`` where the processor is Graviton (EC2 User Guide, "Instance
type naming conventions"): ``m8g``, ``c7gn``, ``is4gen``; in ``g6e`` the letter is the family itself."""

ROOT_DEVICE = "/dev/xvda"
HOPS_TO_METADATA = 1
"""A pod is one hop further away than its node, so that it cannot take the node's role and must have its own."""

LONGEST_GROUP_PREFIX = 37
"""EKS appends 26 characters to a prefix, and a group's name ends at 63."""

EFFECTS = {
    TaintEffect.NO_SCHEDULE: "NO_SCHEDULE",
    TaintEffect.PREFER_NO_SCHEDULE: "PREFER_NO_SCHEDULE",
    TaintEffect.NO_EXECUTE: "NO_EXECUTE",
}


@names_itself
class NodePool(Construct):
    """One managed group of nodes over every zone, and its launch template.

    The template names no security group, so that EKS gives the nodes the cluster's primary one, and no image, so that
    EKS takes its own for the version of the control plane, which the group follows. EKS puts no newer image of the same
    version on nodes by itself.
    """

    def __init__(self, scope: Construct, id_: str, spec: NodePoolSpec, *, plane: AwsEksCluster, key: AwsKey) -> None:
        super().__init__(scope, id_)
        cluster = str(plane.arguments["name"])
        self._name = suffixed("ClusterSpec", "name", cluster, f"{spec.name}-", longest=LONGEST_GROUP_PREFIX)
        self._spec = spec
        self._plane = plane
        self._template = self._launch_template(key)

    def launch(
        self, *, role: Role, subnet_ids: Sequence[str], after: Sequence[ITerraformDependable]
    ) -> AwsEksNodeGroup:
        """Make the group itself in the given subnets, once everything is there that its nodes need to join."""
        spec = self._spec
        return AwsEksNodeGroup(
            self,
            "Resource",
            cluster_name=self._plane.name,
            node_group_name_prefix=self._name,
            node_role_arn=role.arn,
            subnet_ids=subnet_ids,
            # Left out, the nodes would stay at the version that they were made with, until EKS refuses the next one.
            version=self._plane.version,
            ami_type=image(spec),
            instance_types=spec.machines or MACHINES,
            launch_template={
                "id": self._template.id,
                "version": self._template.get_string_attribute("latest_version"),
            },
            scaling_config={"desired_size": spec.fewest, "min_size": spec.fewest, "max_size": spec.most},
            update_config={"max_unavailable_percentage": 33},
            node_repair_config={"enabled": True},
            labels=dict(spec.labels) or None,
            taint=[_taint(taint) for taint in spec.taints] or None,
            tags={"Name": f"{self._name}nodes"},
            depends_on=list(after),
            lifecycle=Lifecycle(
                create_before_destroy=True,
                # From the first apply on, the size is the autoscaler's: applying again must not drain nodes.
                ignore_changes=["scaling_config[0].desired_size"],
            ),
        )

    def _launch_template(self, key: AwsKey) -> AwsLaunchTemplate:
        tags = {"Name": f"{self._name}node"}
        return AwsLaunchTemplate(
            self,
            "Template",
            name_prefix=self._name,
            update_default_version=True,
            block_device_mappings=[
                {
                    "device_name": ROOT_DEVICE,
                    "ebs": {
                        "volume_type": "gp3",
                        "volume_size": self._spec.disk_gib,
                        "encrypted": "true",
                        "kms_key_id": key.arn,
                        "delete_on_termination": "true",
                    },
                }
            ],
            metadata_options={
                "http_endpoint": "enabled",
                "http_tokens": "required",
                "http_put_response_hop_limit": HOPS_TO_METADATA,
                "instance_metadata_tags": "disabled",
            },
            monitoring={"enabled": True},
            tag_specifications=[{"resource_type": kind, "tags": tags} for kind in ("instance", "volume")],
            tags=tags,
        )


def image(spec: NodePoolSpec) -> str:
    """Return the kind of image that the pool's machines can run.

    EKS refuses a group whose machines and image differ in architecture, and so does this, with `InvalidSpecError`,
    for a pool that mixes two.
    """
    for machine in spec.machines:
        if not MACHINE_NAME.fullmatch(machine):
            problem = f"{machine!r} is not a machine of EC2"
            raise InvalidSpecError("NodePoolSpec", "machines", problem, f"write one such as {MACHINES[0]}")
    kinds = {ARM_IMAGE if ARM_MACHINE.fullmatch(machine) else INTEL_IMAGE for machine in spec.machines or MACHINES}
    if len(kinds) > 1:
        problem = f"{', '.join(spec.machines)} are of two architectures, and one pool has one image"
        raise InvalidSpecError("NodePoolSpec", "machines", problem, "give each architecture a pool of its own")
    return kinds.pop()


def _taint(taint: Taint) -> AwsEksNodeGroupTaintBlock:
    return {"key": taint.key, "value": taint.value, "effect": EFFECTS[taint.effect]}
