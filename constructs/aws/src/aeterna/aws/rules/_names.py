"""The limits of AWS's names, from each service's API reference."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Name

_WORDS: Final = r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]*[a-zA-Z0-9]|[a-zA-Z]"
"""Letters, digits and single hyphens, as RDS and ElastiCache want it."""
_IAM: Final = r"[\w+=,.@-]+"
_SUFFIX: Final = 26
"""What the provider appends to a prefix."""


def _named(longest: int, pattern: str = ".*", *, shortest: int = 1, prefix: int | None = None) -> tuple[Name, ...]:
    """Return the limits of a name, and of the prefix that may stand for it."""
    return (
        Name(path="name", longest=longest, shortest=shortest, pattern=pattern),
        Name(path="name_prefix", longest=longest - _SUFFIX if prefix is None else prefix),
    )


NAMES: Final = {
    "aws_backup_plan": (Name(path="name", longest=50, pattern=r"[\w.-]+"),),
    "aws_backup_vault": (Name(path="name", longest=50, shortest=2, pattern=r"[\w-]+"),),
    "aws_cloudwatch_log_group": _named(512, r"[\w./#-]+"),
    "aws_cloudwatch_metric_alarm": (Name(path="alarm_name", longest=255),),
    "aws_db_instance": (
        Name(path="identifier", longest=63, pattern=_WORDS),
        Name(path="identifier_prefix", longest=63 - _SUFFIX),
    ),
    "aws_db_parameter_group": _named(255, _WORDS),
    "aws_db_subnet_group": _named(255, r"[a-z0-9 ._-]+"),
    "aws_dynamodb_table": (Name(path="name", longest=255, shortest=3, pattern=r"[\w.-]+"),),
    "aws_ecr_repository": (Name(path="name", longest=256, shortest=2, pattern=r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"),),
    "aws_eks_cluster": (Name(path="name", longest=100, pattern=r"[0-9A-Za-z][\w-]*"),),
    "aws_eks_node_group": (
        Name(path="node_group_name", longest=63, pattern=r"[0-9A-Za-z][\w-]*"),
        Name(path="node_group_name_prefix", longest=63 - _SUFFIX),
    ),
    "aws_elasticache_parameter_group": (Name(path="name", longest=255, pattern=_WORDS),),
    "aws_elasticache_replication_group": (Name(path="replication_group_id", longest=40, pattern=_WORDS),),
    "aws_elasticache_subnet_group": (Name(path="name", longest=255, pattern=r"[a-zA-Z0-9 ._-]+"),),
    "aws_elasticache_user": (Name(path="user_id", longest=40, pattern=_WORDS),),
    "aws_elasticache_user_group": (Name(path="user_group_id", longest=40, pattern=_WORDS),),
    "aws_glue_catalog_database": (Name(path="name", longest=255, pattern=r"[a-z0-9_-]+"),),
    "aws_iam_policy": _named(128, _IAM),
    "aws_iam_role": _named(64, _IAM),
    "aws_iam_role_policy": _named(128, _IAM),
    "aws_iam_user": (Name(path="name", longest=64, pattern=_IAM),),
    "aws_kms_alias": _named(256, r"alias/(?!aws/)[\w/-]+"),
    "aws_launch_template": _named(128, r"[\w().\-/]+", shortest=3),
    "aws_lb": _named(32, r"(?!internal-)[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?", prefix=6),
    "aws_lb_target_group": _named(32, r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?", prefix=6),
    "aws_s3_bucket": (
        Name(path="bucket", longest=63, shortest=3, pattern=r"(?!.*\.\.)[a-z0-9][a-z0-9.-]*[a-z0-9]"),
        Name(path="bucket_prefix", longest=37),
    ),
    "aws_s3tables_namespace": (Name(path="namespace", longest=255, pattern=r"[a-z0-9][a-z0-9_]*"),),
    "aws_s3tables_table_bucket": (Name(path="name", longest=63, shortest=3, pattern=r"[a-z0-9][a-z0-9-]*[a-z0-9]"),),
    "aws_secretsmanager_secret": _named(512, r"[\w/+=.@-]+"),
    "aws_security_group": _named(255, r"(?!sg-).*"),
    "aws_sns_topic": _named(256, r"[\w-]+(?:\.fifo)?"),
    "aws_sqs_queue": _named(80, r"[\w-]+(?:\.fifo)?"),
}
