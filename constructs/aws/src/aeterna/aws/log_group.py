"""Log groups under the customer's key, made before the service that would otherwise make them unencrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.l1.cloudwatch_log_group import AwsCloudwatchLogGroup
from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from aeterna.aws.keys import AwsKey

RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""The days CloudWatch Logs can keep a log group (API reference, PutRetentionPolicy)."""


class LogGroup(Construct):
    """A log group of a fixed name, which the key's policy allows by that name and no other."""

    def __init__(self, scope: Construct, id_: str, *, name: str, days: int, key: AwsKey) -> None:
        super().__init__(scope, id_)
        if days not in RETENTIONS:
            longer = next((kept for kept in RETENTIONS if kept >= days), RETENTIONS[-1])
            raise InvalidSpecError(
                "LogGroup", "days", f"CloudWatch Logs cannot keep logs for {days} days", f"use {longer} days"
            )
        key.allow_logs(name)
        self.group = AwsCloudwatchLogGroup(
            self, "Resource", name=name, retention_in_days=days, kms_key_id=key.arn, tags={"Name": name}
        )

    @property
    def arn(self) -> str:
        """Return the log group's ARN, without the wildcard for its streams."""
        return self.group.arn
