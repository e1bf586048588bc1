"""Where a stack is being applied: the account, partition and region, asked of the provider and never written down."""

from __future__ import annotations

from constructs import Construct

from aeterna.aws.l1.data_caller_identity import DataAwsCallerIdentity
from aeterna.aws.l1.data_partition import DataAwsPartition
from aeterna.aws.l1.data_region import DataAwsRegion


class Account(Construct):
    """The account, partition and region of the provider that this part of the tree uses.

    Each construct has its own, so that one moved to another region by its provider builds that region's names.
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.caller = DataAwsCallerIdentity(self, "Caller")
        self._partition = DataAwsPartition(self, "Partition")
        self._region = DataAwsRegion(self, "Region")

    @property
    def id(self) -> str:
        """Return the account's number."""
        return self.caller.account_id

    @property
    def region(self) -> str:
        """Return the region's name, such as ``eu-west-1``."""
        return self._region.region

    @property
    def root(self) -> str:
        """Return the principal that stands for the account: whom its own IAM policies allow."""
        return self.global_arn("iam", "root")

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and region, which need not exist yet."""
        return self.arn_in(self.region, service, resource)

    def arn_in(self, region: str, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account in another region, which need not exist yet."""
        return f"arn:{self._partition.partition}:{service}:{region}:{self.id}:{resource}"

    def global_arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account that belongs to no region."""
        return f"arn:{self._partition.partition}:{service}::{self.id}:{resource}"

    def managed_policy(self, name: str) -> str:
        """Return the ARN of a policy that AWS keeps."""
        return f"arn:{self._partition.partition}:iam::aws:policy/{name}"

    def eks_policy(self, name: str) -> str:
        """Return the ARN of an access policy that EKS keeps."""
        return f"arn:{self._partition.partition}:eks::aws:cluster-access-policy/{name}"
