"""An S3 bucket that takes objects only over TLS and only under the customer's key, and forgets nothing by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.l1.s3_bucket import AwsS3Bucket
from aeterna.aws.l1.s3_bucket_lifecycle_configuration import AwsS3BucketLifecycleConfiguration
from aeterna.aws.l1.s3_bucket_logging import AwsS3BucketLogging
from aeterna.aws.l1.s3_bucket_ownership_controls import AwsS3BucketOwnershipControls
from aeterna.aws.l1.s3_bucket_policy import AwsS3BucketPolicy
from aeterna.aws.l1.s3_bucket_public_access_block import AwsS3BucketPublicAccessBlock
from aeterna.aws.l1.s3_bucket_server_side_encryption_configuration import AwsS3BucketServerSideEncryptionConfiguration
from aeterna.aws.l1.s3_bucket_versioning import AwsS3BucketVersioning
from aeterna.aws.policy_document import EVERYONE, Condition, Statement, document, sid
from aeterna.contracts.bucket import BucketOutputs
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.aws.keys import AwsKey
    from aeterna.contracts.bucket import BucketSpec

RESERVED_BEGINNINGS = ("sthree-", "amzn-s3-demo-")
RESERVED_ENDINGS = ("-s3alias", "-an")
"""Kept for access points and for buckets in an account's own namespace (S3 User Guide, "Bucket naming rules")."""

READ = ("s3:GetObject", "s3:GetObjectVersion")
WRITE = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:PutObject")
ERASE = ("s3:DeleteObject", "s3:DeleteObjectVersion")
LIST = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
LIST_VERSIONS = ("s3:ListBucketVersions",)

_ALGORITHM = "s3:x-amz-server-side-encryption"
_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"


@names_itself
class S3Bucket(Construct):
    """A private, versioned bucket. Its policy binds everyone, the account's own administrators included.

    `replication_ready` is what a replication has to wait for. Attach `access` to a workload's identity.
    """

    busy_hours: frozenset[int] = frozenset()
    """S3 lets a backup begin at any hour."""

    def __init__(self, scope: Construct, id_: str, spec: BucketSpec, *, key: AwsKey) -> None:
        super().__init__(scope, id_)
        require_bucket(spec)
        self._name, self.key = spec.name, key
        self._bucket = AwsS3Bucket(
            self,
            "Resource",
            bucket=spec.name,
            force_destroy=not spec.protected,
            tags={"Name": spec.name},
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
        )
        self.arn, self.name, self.region = Late(self._bucket.arn), Late(self._bucket.id), Late(self._bucket.region)
        self.replication_ready = AwsS3BucketVersioning(
            self, "Versioning", bucket=self._bucket.id, versioning_configuration={"status": "Enabled"}
        )
        self._encrypt()
        self._lock_down()
        self._expire(spec)
        if spec.access_log_bucket is not None:
            AwsS3BucketLogging(
                self,
                "AccessLog",
                bucket=self._bucket.id,
                target_bucket=spec.access_log_bucket,
                target_prefix=f"{spec.name}/",
            )
        uri = Late(f"s3://{self._bucket.bucket}")
        self.outputs = BucketOutputs(name=Late(self._bucket.bucket), uri=uri, objects=uri)

    def access(self) -> tuple[Statement, ...]:
        """Return what a workload needs to read and write objects. A deletion leaves the version behind."""
        return (
            self._on_bucket("List", LIST),
            self._on_objects("ReadWrite", (*READ, *WRITE)),
            self._through_key("ReadWrite", "kms:Decrypt", "kms:GenerateDataKey"),
        )

    def read_statements(self) -> tuple[Statement, ...]:
        """Return what an identity needs to read objects only."""
        return (
            self._on_bucket("List", LIST),
            self._on_objects("Read", READ),
            self._through_key("Read", "kms:Decrypt"),
        )

    def erase_statements(self) -> tuple[Statement, ...]:
        """Return what an identity needs to remove objects with every version of them, at once and for ever."""
        return (self._on_bucket("ListVersions", LIST_VERSIONS), self._on_objects("Erase", ERASE))

    def _on_bucket(self, verb: str, actions: tuple[str, ...]) -> Statement:
        return Statement(sid=sid(verb, self._name), actions=actions, resources=(self.arn,))

    def _on_objects(self, verb: str, actions: tuple[str, ...]) -> Statement:
        return Statement(sid=sid(verb, self._name, "Objects"), actions=actions, resources=(f"{self.arn}/*",))

    def _through_key(self, verb: str, *actions: str) -> Statement:
        return self.key.usage(sid(verb, self._name, "Key"), via="s3", actions=actions)

    def _encrypt(self) -> None:
        """Encrypt by default under the key, with one data key for many objects, and refuse keys sent by callers."""
        AwsS3BucketServerSideEncryptionConfiguration(
            self,
            "Encryption",
            bucket=self._bucket.id,
            rule=[
                {
                    "bucket_key_enabled": True,
                    "blocked_encryption_types": ["SSE-C"],
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "aws:kms",
                        "kms_master_key_id": self.key.arn,
                    },
                }
            ],
        )

    def _lock_down(self) -> None:
        """Take away access lists and everything public, then bind everyone to TLS and to the key."""
        AwsS3BucketOwnershipControls(
            self, "Ownership", bucket=self._bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}
        )
        private = AwsS3BucketPublicAccessBlock(
            self,
            "PublicAccess",
            bucket=self._bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        # S3 refuses two changes of a bucket's access at the same time.
        AwsS3BucketPolicy(
            self, "Policy", bucket=self._bucket.id, policy=document(self._denials()), depends_on=[private]
        )

    def _denials(self) -> tuple[Statement, ...]:
        objects = (f"{self.arn}/*",)
        everything = (self.arn, *objects)
        put, anything = ("s3:PutObject",), ("s3:*",)
        # A negated test also holds where its key is absent, so each goes with one that the caller did send the header:
        # without headers the bucket's own default applies, which is right.
        return (
            _deny("PlainHttp", anything, everything, _is("Bool", "aws:SecureTransport", "false")),
            _deny("OldTls", anything, everything, _is("NumericLessThan", "s3:TlsVersion", "1.2")),
            _deny("OtherEncryption", put, objects, _sent(_ALGORITHM), _is("StringNotEquals", _ALGORITHM, "aws:kms")),
            _deny("OtherKey", put, objects, _sent(_KEY), _is("StringNotEquals", _KEY, self.key.arn)),
            # "aws:kms" without a key does not mean the bucket's key: it means the one that AWS manages.
            _deny("UnnamedKey", put, objects, _is("StringEquals", _ALGORITHM, "aws:kms"), _is("Null", _KEY, "true")),
        )

    def _expire(self, spec: BucketSpec) -> None:
        AwsS3BucketLifecycleConfiguration(
            self,
            "Lifecycle",
            bucket=self._bucket.id,
            rule=[
                {
                    "id": "forget",
                    "status": "Enabled",
                    "filter": [{"prefix": ""}],
                    "noncurrent_version_expiration": [{"noncurrent_days": spec.noncurrent_days}],
                    "abort_incomplete_multipart_upload": [{"days_after_initiation": spec.abort_multipart_days}],
                    "expiration": [{"expired_object_delete_marker": True}],
                }
            ],
            depends_on=[self.replication_ready],
        )


def require_bucket(spec: BucketSpec) -> None:
    """Refuse a name that S3 keeps for itself."""
    for field, name in (("name", spec.name), ("access_log_bucket", spec.access_log_bucket or "")):
        if name.startswith(RESERVED_BEGINNINGS) or name.endswith(RESERVED_ENDINGS):
            reserved = ", ".join((*RESERVED_BEGINNINGS, *RESERVED_ENDINGS))
            problem = f"{name!r} begins or ends as S3's own names do ({reserved})"
            raise InvalidSpecError("BucketSpec", field, problem, "choose another name")


def _deny(what: str, actions: tuple[str, ...], resources: tuple[str, ...], *conditions: Condition) -> Statement:
    return Statement(
        sid=f"Deny{what}",
        effect="Deny",
        principals=(EVERYONE,),
        actions=actions,
        resources=resources,
        conditions=conditions,
    )


def _is(test: str, variable: str, value: str) -> Condition:
    return Condition(test=test, variable=variable, values=(value,))


def _sent(variable: str) -> Condition:
    return _is("Null", variable, "false")
