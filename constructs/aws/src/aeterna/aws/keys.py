"""The customer's keys on AWS: KMS keys whose policy always keeps an administrator and grants each service its least."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.l1.data_kms_key import DataAwsKmsKey
from aeterna.aws.l1.kms_alias import AwsKmsAlias
from aeterna.aws.l1.kms_key import AwsKmsKey
from aeterna.aws.policy_document import EVERYONE, Condition, Principal, Statement, document, sid
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeyOutputs
from aeterna.contracts.late import Late
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.keys import KeySpec

RESERVED_ENVIRONMENT = "aws"
THIS_KEY = ("*",)
"""In a key's own policy, every resource means this key."""

USE = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
ADMINISTER = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
FOR_AWS_RESOURCES = Condition(test="Bool", variable="kms:GrantIsForAWSResource", values=("true",))
"""A grant made only by a service that encrypts for the caller, such as a volume being attached."""


@names_itself
class AwsKey(Construct):
    """A KMS key for one purpose, rotated, with an alias and a policy that grows with what is encrypted under it.

    What is encrypted may stand in another stack, which is applied after the key's. The policy therefore never refers to
    it: it names it by an ARN that the key builds from a name that is known at synthesis.

    The account stays administrator, so that its IAM policies can always repair the key's policy. Nobody else may
    use the key unless IAM allows it or a construct asked for it here, each time bound to one store or one role.
    """

    def __init__(self, scope: Construct, id_: str, spec: KeySpec) -> None:
        super().__init__(scope, id_)
        if spec.environment == RESERVED_ENVIRONMENT:
            problem = f"the alias would begin with alias/{RESERVED_ENVIRONMENT}/, as those of AWS's own keys do"
            raise InvalidSpecError("KeySpec", "environment", problem, "use another name")
        self._account = Account(self, "Account")
        self._log_groups: list[str] = []
        self._granted: list[Statement] = []
        self._administrators = spec.administrators
        self._key = AwsKmsKey(
            self,
            "Resource",
            description=f"{spec.environment}: {spec.purpose}",
            enable_key_rotation=True,
            rotation_period_in_days=spec.rotation.days,
            deletion_window_in_days=spec.grace.days,
            policy=document(self._statements()),
            tags={"Name": f"{spec.environment}-{spec.purpose}", "aeterna:purpose": spec.purpose},
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
        )
        alias = AwsKmsAlias(
            self, "Alias", name=f"alias/{spec.environment}/{spec.purpose}", target_key_id=self._key.key_id
        )
        self.outputs = KeyOutputs(key_id=Late(self._key.arn), alias=Late(alias.name))

    @classmethod
    def existing(cls, scope: Construct, id_: str, *, key_arn: str) -> AwsKey:
        """Take a key that the customer already has.

        Its policy is not touched: `required_statements` says what it must allow, once the stores are composed.
        """
        return _ExistingKey(scope, id_, key_arn)

    @property
    def arn(self) -> str:
        """Return the key's ARN."""
        return self.outputs.key_id

    @property
    def required_statements(self) -> tuple[Statement, ...]:
        """Return what the stores composed so far need the key's policy to allow, beside its administrators."""
        logs = (self._for_logs(),) if self._log_groups else ()
        return (*logs, *self._granted)

    def allow(self, statement: Statement) -> None:
        """Add a statement to the key's policy; its resource can only be this key.

        Raises `InvalidSpecError` for a statement that names no principal.
        """
        if not statement.principals:
            raise InvalidSpecError(
                "Statement", "principals", f"{statement.sid} names no principal", "name who is meant"
            )
        if statement not in self._granted:
            self._granted.append(statement)
            self._write_policy()

    def allow_logs(self, log_group: str) -> None:
        """Let CloudWatch Logs encrypt the one log group of that name, which must refer to the key by `arn`.

        The encryption context binds the permission to that log group (CloudWatch Logs User Guide, "Encrypt log data").
        """
        if log_group not in self._log_groups:
            self._log_groups.append(log_group)
            self._write_policy()

    def allow_alarms(self, prefix: str) -> None:
        """Let CloudWatch send encrypted messages for the alarms of this account whose names begin so, and no others.

        Without it an alarm goes off and nobody hears of it (CloudWatch User Guide, "Notifying users on alarm changes").
        """
        self.allow(
            Statement(
                sid=sid("Alarms", prefix),
                actions=("kms:Decrypt", "kms:GenerateDataKey*"),
                resources=THIS_KEY,
                principals=(Principal(kind="Service", identifiers=("cloudwatch.amazonaws.com",)),),
                conditions=(
                    Condition(test="StringEquals", variable="aws:SourceAccount", values=(self._account.id,)),
                    Condition(
                        test="ArnLike",
                        variable="aws:SourceArn",
                        values=(self._account.arn("cloudwatch", f"alarm:{prefix}-*"),),
                    ),
                ),
            )
        )

    def allow_table_maintenance(self, table_bucket: str) -> None:
        """Let S3 compact the tables of the table bucket of that name; without it none can be made.

        The encryption context holds the permission to that table bucket (S3 User Guide, "Permission requirements").
        """
        bucket = self._account.arn("s3tables", f"bucket/{table_bucket}")
        self.allow(
            Statement(
                sid=sid("Maintain", table_bucket),
                actions=("kms:Decrypt", "kms:GenerateDataKey"),
                resources=THIS_KEY,
                principals=(Principal(kind="Service", identifiers=("maintenance.s3tables.amazonaws.com",)),),
                conditions=(
                    Condition(test="StringLike", variable="kms:EncryptionContext:aws:s3:arn", values=(f"{bucket}/*",)),
                ),
            )
        )

    def allow_autoscaling(self) -> None:
        """Let Auto Scaling start nodes whose disks are encrypted under this key (EC2 Auto Scaling User Guide).

        The service-linked role is named by condition, not as the principal: KMS refuses a principal that does not
        exist yet, and a new account gets the role only with its first group of nodes.
        """
        role = self._account.global_arn(
            "iam", "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
        )
        only_the_role = (
            Condition(test="ArnEquals", variable="aws:PrincipalArn", values=(role,)),
            Condition(test="StringEquals", variable="kms:CallerAccount", values=(self._account.id,)),
        )
        self.allow(
            Statement(
                sid="AutoScalingUse",
                actions=USE,
                resources=THIS_KEY,
                principals=(EVERYONE,),
                conditions=only_the_role,
            )
        )
        self.allow(
            Statement(
                sid="AutoScalingAttach",
                actions=("kms:CreateGrant",),
                resources=THIS_KEY,
                principals=(EVERYONE,),
                conditions=(*only_the_role, FOR_AWS_RESOURCES),
            )
        )

    def usage(self, sid: str, *, via: str, actions: tuple[str, ...] = USE) -> Statement:
        """Return what an identity needs to use the key through one service, such as ``s3``, and not directly."""
        return Statement(sid=sid, actions=actions, resources=(self.arn,), conditions=(self._through(via),))

    def attachment(self, sid: str, *, via: str) -> Statement:
        """Return what an identity needs so that a service may keep using the key for a resource it attaches."""
        actions = ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
        conditions = (self._through(via), FOR_AWS_RESOURCES)
        return Statement(sid=sid, actions=actions, resources=(self.arn,), conditions=conditions)

    def _through(self, service: str) -> Condition:
        endpoint = f"{service}.{self._account.region}.amazonaws.com"
        return Condition(test="StringEquals", variable="kms:ViaService", values=(endpoint,))

    def _for_logs(self) -> Statement:
        groups = tuple(self._account.arn("logs", f"log-group:{name}") for name in self._log_groups)
        service = f"logs.{self._account.region}.amazonaws.com"
        return Statement(
            sid="EncryptLogs",
            actions=("kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
            resources=THIS_KEY,
            principals=(Principal(kind="Service", identifiers=(service,)),),
            conditions=(Condition(test="ArnEquals", variable="kms:EncryptionContext:aws:logs:arn", values=groups),),
        )

    def _statements(self) -> tuple[Statement, ...]:
        account = Statement(
            sid="AccountAdministers",
            actions=("kms:*",),
            resources=THIS_KEY,
            principals=(Principal(kind="AWS", identifiers=(self._account.root,)),),
        )
        if not self._administrators:
            return (account, *self.required_statements)
        named = Statement(
            sid="Administer",
            actions=ADMINISTER,
            resources=THIS_KEY,
            principals=(Principal(kind="AWS", identifiers=self._administrators),),
        )
        return (account, named, *self.required_statements)

    def _write_policy(self) -> None:
        self._key.replace("policy", document(self._statements()))


@names_itself
class _ExistingKey(AwsKey):
    """A key whose policy belongs to the customer."""

    def __init__(self, scope: Construct, id_: str, key_arn: str) -> None:
        Construct.__init__(self, scope, id_)
        self._account = Account(self, "Account")
        self._log_groups = []
        self._granted = []
        self._administrators = ()
        found = DataAwsKmsKey(self, "Resource", key_id=key_arn)
        self.outputs = KeyOutputs(key_id=Late(found.arn), alias=Late(found.id))

    def _write_policy(self) -> None:
        """Leave the customer's policy alone."""
