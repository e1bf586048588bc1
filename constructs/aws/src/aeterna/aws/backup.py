"""Backups apart from the stores on AWS: a locked vault of AWS Backup, its plan, and the copy in a second region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.l1.backup_plan import AwsBackupPlan
from aeterna.aws.l1.backup_selection import AwsBackupSelection
from aeterna.aws.l1.backup_vault import AwsBackupVault
from aeterna.aws.l1.backup_vault_lock_configuration import AwsBackupVaultLockConfiguration
from aeterna.aws.regions import region_of
from aeterna.aws.roles import Role
from aeterna.aws.trust import from_backup
from aeterna.contracts.backup import BackupOutputs
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.synth.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.aws.keys import AwsKey
    from aeterna.aws.l1.backup_plan import AwsBackupPlanRuleBlock, AwsBackupPlanRuleCopyActionBlock
    from aeterna.contracts.backup import BackupSpec

START_MINUTES = 60
"""Within this a backup has begun, or is given up; the least that AWS Backup takes."""
END_MINUTES = 600
"""Within this it is done, or is given up: a first copy to another region takes its time."""

POLICIES = {
    "Backup": "service-role/AWSBackupServiceRolePolicyForBackup",
    "BackupObjects": "AWSBackupServiceRolePolicyForS3Backup",
}
"""What AWS keeps for the role that makes backups. One that restores is another role's business."""


class Protected(Protocol):
    """Something that AWS Backup can back up."""

    @property
    def arn(self) -> Late:
        """Return its ARN."""
        ...


class BackupVault(Construct):
    """A vault under the key, locked so that nobody deletes a backup before its time without taking the lock off first.

    The lock is a governance lock: whoever may change it can take it off. A compliance lock could never be taken off
    again by anyone, AWS included; set ``changeable_for_days`` on the lock inside if you want that.
    """

    def __init__(self, scope: Construct, id_: str, spec: BackupSpec, *, key: AwsKey) -> None:
        super().__init__(scope, id_)
        self._vault = AwsBackupVault(
            self,
            "Resource",
            name=spec.name,
            kms_key_arn=key.arn,
            force_destroy=not spec.protected,
            tags={"Name": spec.name},
            lifecycle=Lifecycle(prevent_destroy=True) if spec.protected else Lifecycle(),
        )
        AwsBackupVaultLockConfiguration(
            self, "Lock", backup_vault_name=self._vault.name, min_retention_days=spec.keep_days
        )
        self.arn = Late(self._vault.arn)
        self.name = Late(self._vault.name)
        self.outputs = BackupOutputs(vault=self.arn)


class AwsBackup(Construct):
    """A vault, and a plan that puts backups of the given stores into it, each store named by its ARN.

    `copy_to` has every backup copied to a vault of another region as well.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: BackupSpec, *, key: AwsKey, protects: Sequence[Protected]
    ) -> None:
        super().__init__(scope, id_)
        if not protects:
            raise InvalidSpecError("AwsBackup", "protects", "a plan for nothing", "name at least one store")
        self._spec = spec
        self._account = Account(self, "Account")
        self._copies: list[AwsBackupPlanRuleCopyActionBlock] = []
        self.vault = BackupVault(self, "Vault", spec, key=key)
        self._plan = AwsBackupPlan(self, "Resource", name=spec.name, rule=[self._rule()], tags={"Name": spec.name})
        role = self._role()
        AwsBackupSelection(
            self,
            "Selection",
            name=spec.name,
            plan_id=self._plan.id,
            iam_role_arn=role.arn,
            resources=[store.arn for store in protects],
            depends_on=role.policies,
        )
        self.outputs = self.vault.outputs

    def copy_to(self, *, region: str, vault: str) -> None:
        """Copy every backup to the vault of this name in this region of the same account, too.

        Its ARN is built from the two names: the vault stands in a stack that is applied after this one's. Until it is
        there, the copies fail and the backups do not.
        """
        self._copies.append(
            {
                "destination_vault_arn": self._account.arn_in(region, "backup", f"backup-vault:{vault}"),
                "lifecycle": {"delete_after": self._spec.keep_days},
            }
        )
        self._plan.replace("rule", [self._rule()])

    def _rule(self) -> AwsBackupPlanRuleBlock:
        spec = self._spec
        rule: AwsBackupPlanRuleBlock = {
            "rule_name": f"every-{spec.every_hours}-hours",
            "target_vault_name": self.vault.name,
            "schedule": schedule(spec),
            "start_window": START_MINUTES,
            "completion_window": END_MINUTES,
            "lifecycle": {"delete_after": spec.keep_days},
        }
        if self._copies:
            rule["copy_action"] = list(self._copies)
        return rule

    def _role(self) -> Role:
        role = Role(self, "Role", named=("BackupSpec", "name", self._spec.name), suffix="backup", trust=from_backup())
        role.attach({id_: self._account.managed_policy(name) for id_, name in POLICIES.items()})
        return role


class AwsBackupCopy(Construct):
    """A vault in a second region, into which every backup of the source is copied.

    Put it into a stack whose provider is that region's, with a key of that region: a key never leaves its own.
    """

    def __init__(self, scope: Construct, id_: str, spec: BackupSpec, *, source: AwsBackup, key: AwsKey) -> None:
        super().__init__(scope, id_)
        region = region_of(self)
        if region is None:
            problem = "the region of the copies is not known at synthesis"
            remedy = "configure exactly one AwsProvider in the stack, with the region as text"
            raise InvalidSpecError("AwsBackupCopy", "scope", problem, remedy)
        self.vault = BackupVault(self, "Vault", spec, key=key)
        source.copy_to(region=region, vault=spec.name)
        self.outputs = self.vault.outputs


def schedule(spec: BackupSpec) -> str:
    """Return when backups begin, in AWS's notation: ``cron(0 1,7,13,19 * * ? *)``."""
    hours = sorted((spec.hour + offset) % 24 for offset in range(0, 24, spec.every_hours))
    return f"cron(0 {','.join(map(str, hours))} * * ? *)"
