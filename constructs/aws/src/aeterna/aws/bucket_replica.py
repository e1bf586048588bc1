"""A bucket's copy in a second region: every object, under a key of that region, within a quarter of an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.bucket import S3Bucket
from aeterna.aws.l1.s3_bucket_replication_configuration import AwsS3BucketReplicationConfiguration
from aeterna.aws.policy_document import Statement
from aeterna.aws.roles import Role
from aeterna.aws.trust import from_service_alone
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.aws.keys import AwsKey
    from aeterna.aws.l1.s3_bucket_replication_configuration import AwsS3BucketReplicationConfigurationRuleBlock
    from aeterna.contracts.bucket import BucketSpec

MINUTES = 15
"""Within this S3 promises to have copied nearly every object, and reports those that it has not."""

LONGEST_NAMED = 25
"""What the limit of a role's name leaves of a bucket's: the rest is what keeps two of them apart anyway."""

ENABLED = "Enabled"


@names_itself
class S3BucketReplica(Construct):
    """The bucket of the spec, and the replication that fills it from the source.

    Put it into a stack whose provider is the second region's, with a key of that region. What was in the source before
    is not copied: run S3 Batch Replication once where there was anything.
    """

    def __init__(self, scope: Construct, id_: str, spec: BucketSpec, *, source: S3Bucket, key: AwsKey) -> None:
        super().__init__(scope, id_)
        self.bucket = S3Bucket(self, "Bucket", spec, key=key)
        role = self._role(spec, source=source, key=key)
        AwsS3BucketReplicationConfiguration(
            self,
            "Resource",
            # The configuration is the source's and stands beside it, in the region that this stack is not for.
            region=source.region,
            bucket=source.name,
            role=role.arn,
            rule=[self._rule(key)],
            depends_on=[source.replication_ready, self.bucket.replication_ready, *role.policies],
        )
        self.outputs = self.bucket.outputs

    def _rule(self, key: AwsKey) -> AwsS3BucketReplicationConfigurationRuleBlock:
        return {
            "id": "everything",
            "status": ENABLED,
            "filter": {"prefix": ""},
            "delete_marker_replication": {"status": ENABLED},
            # Without this S3 leaves out every object that is encrypted under a key, and says nothing.
            "source_selection_criteria": {"sse_kms_encrypted_objects": {"status": ENABLED}},
            "destination": {
                "bucket": self.bucket.arn,
                "encryption_configuration": {"replica_kms_key_id": key.arn},
                "metrics": {"status": ENABLED, "event_threshold": {"minutes": MINUTES}},
                "replication_time": {"status": ENABLED, "time": {"minutes": MINUTES}},
            },
        }

    def _role(self, spec: BucketSpec, *, source: S3Bucket, key: AwsKey) -> Role:
        trust = from_service_alone("s3.amazonaws.com")
        name = spec.name[:LONGEST_NAMED].rstrip("-")
        role = Role(self, "Role", named=("BucketSpec", "name", name), suffix="replication", trust=trust)
        role.allow(
            "Read",
            Statement(
                sid="ReadConfiguration",
                actions=("s3:GetReplicationConfiguration", "s3:ListBucket"),
                resources=(source.arn,),
            ),
            Statement(
                sid="ReadVersions",
                actions=(
                    "s3:GetObjectVersionAcl",
                    "s3:GetObjectVersionForReplication",
                    "s3:GetObjectVersionTagging",
                ),
                resources=(f"{source.arn}/*",),
            ),
            source.key.usage("ReadKey", via="s3", actions=("kms:Decrypt",)),
        )
        role.allow(
            "Write",
            Statement(
                sid="WriteCopies",
                actions=("s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"),
                resources=(f"{self.bucket.arn}/*",),
            ),
            key.usage("WriteKey", via="s3", actions=("kms:Encrypt", "kms:GenerateDataKey")),
        )
        return role
