"""A network's flow logs: every accepted and refused flow, kept under the customer's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.l1.flow_log import AwsFlowLog
from aeterna.aws.l1.iam_role import AwsIamRole
from aeterna.aws.l1.iam_role_policy import AwsIamRolePolicy
from aeterna.aws.log_group import LogGroup
from aeterna.aws.policy_document import Statement, document
from aeterna.aws.trust import from_service
from aeterna.contracts.naming import suffixed

if TYPE_CHECKING:
    from aeterna.aws.account import Account
    from aeterna.aws.keys import AwsKey
    from aeterna.aws.l1.vpc import AwsVpc

LONGEST_ROLE_PREFIX = 38
AGGREGATION_SECONDS = 60


class FlowLogs(Construct):
    """All flows of a VPC, aggregated by the minute, in a log group that exists before the first flow."""

    def __init__(
        self, scope: Construct, id_: str, *, name: str, vpc: AwsVpc, days: int, key: AwsKey, account: Account
    ) -> None:
        super().__init__(scope, id_)
        group = LogGroup(self, "LogGroup", name=f"/aws/vpc/{name}/flows", days=days, key=key)
        source = account.arn("ec2", "vpc-flow-log/*")
        role = AwsIamRole(
            self,
            "Role",
            name_prefix=suffixed("NetworkSpec", "name", name, "flow-logs-", longest=LONGEST_ROLE_PREFIX),
            assume_role_policy=document([from_service("vpc-flow-logs.amazonaws.com", account=account, source=source)]),
        )
        write = Statement(
            sid="WriteFlows",
            actions=(
                "logs:CreateLogStream",
                "logs:DescribeLogGroups",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ),
            resources=(group.arn, f"{group.arn}:*"),
        )
        policy = AwsIamRolePolicy(self, "Policy", role=role.id, name="write-flows", policy=document([write]))
        AwsFlowLog(
            self,
            "Resource",
            vpc_id=vpc.id,
            traffic_type="ALL",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=AGGREGATION_SECONDS,
            tags={"Name": name},
            depends_on=[policy],
        )
