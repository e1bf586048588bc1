"""A network's flow logs: every accepted and refused flow, kept under the customer's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.l1.flow_log import AwsFlowLog
from aeterna.aws.log_group import LogGroup
from aeterna.aws.policy_document import Statement
from aeterna.aws.roles import Role
from aeterna.aws.trust import from_service
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.aws.keys import AwsKey
    from aeterna.aws.l1.vpc import AwsVpc
    from aeterna.contracts.network import NetworkSpec

AGGREGATION_SECONDS = 60


@names_itself
class FlowLogs(Construct):
    """All flows of a VPC, aggregated by the minute, in a log group that exists before the first flow."""

    def __init__(self, scope: Construct, id_: str, spec: NetworkSpec, *, vpc: AwsVpc, key: AwsKey) -> None:
        super().__init__(scope, id_)
        account = Account(self, "Account")
        group = LogGroup(self, "LogGroup", name=f"/aws/vpc/{spec.name}/flows", days=spec.flow_log_days, key=key)
        source = account.arn("ec2", "vpc-flow-log/*")
        trust = from_service("vpc-flow-logs.amazonaws.com", account=account, source=source)
        role = Role(self, "Role", named=("NetworkSpec", "name", spec.name), suffix="flow-logs", trust=trust)
        write = Statement(
            sid="WriteFlows",
            actions=("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
            resources=(group.arn, f"{group.arn}:*"),
        )
        # The service lists log groups before it writes, and a list is asked of all of them or of none
        # (VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs").
        find = Statement(
            sid="FindLogGroup",
            actions=("logs:DescribeLogGroups",),
            resources=(account.arn("logs", "log-group:*"),),
        )
        role.allow("Write", write, find)
        AwsFlowLog(
            self,
            "Resource",
            vpc_id=vpc.id,
            traffic_type="ALL",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=AGGREGATION_SECONDS,
            tags={"Name": spec.name},
            depends_on=role.policies,
        )
