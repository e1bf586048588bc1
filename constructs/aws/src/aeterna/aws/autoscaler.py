"""The identity of a cluster's autoscaler: it may grow and shrink the pools of its own cluster, and no other group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.l1.eks_pod_identity_association import AwsEksPodIdentityAssociation
from aeterna.aws.policy_document import Condition, Statement
from aeterna.aws.roles import Role
from aeterna.aws.trust import from_pods

if TYPE_CHECKING:
    from aeterna.aws.account import Account
    from aeterna.aws.l1.eks_cluster import AwsEksCluster

NAMESPACE = "kube-system"
SERVICE_ACCOUNT = "cluster-autoscaler"

LOOK = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeTags",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:GetInstanceTypesFromInstanceRequirements",
)
"""What it looks at; AWS knows no narrower resource for any of these (Cluster Autoscaler, "IAM Policy")."""
SCALE = ("autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup")


class AutoscalerIdentity(Construct):
    """A role for the service account ``kube-system/cluster-autoscaler``. The controller is installed with the platform.

    EKS itself puts the tag that the role tests on the groups of its managed pools.
    """

    def __init__(self, scope: Construct, id_: str, *, plane: AwsEksCluster, account: Account) -> None:
        super().__init__(scope, id_)
        # The literal name, not the attribute: its length is checked now.
        name = str(plane.arguments["name"])
        trust = from_pods(account=account, cluster_arn=plane.arn, namespace=NAMESPACE, service_account=SERVICE_ACCOUNT)
        role = Role(self, "Role", named=("ClusterSpec", "name", name), suffix="autoscaler", trust=trust)
        own = Condition(
            test="StringEquals", variable=f"aws:ResourceTag/k8s.io/cluster-autoscaler/{name}", values=("owned",)
        )
        role.allow(
            "Scale",
            Statement(sid="Look", actions=LOOK, resources=("*",)),
            Statement(
                sid="LookAtPools",
                actions=("eks:DescribeNodegroup",),
                resources=(account.arn("eks", f"nodegroup/{name}/*/*"),),
            ),
            Statement(
                sid="ScaleOwnPools",
                actions=SCALE,
                resources=(account.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*"),),
                conditions=(own,),
            ),
        )
        AwsEksPodIdentityAssociation(
            self,
            "Resource",
            cluster_name=plane.name,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role.arn,
            tags={"Name": SERVICE_ACCOUNT},
        )
