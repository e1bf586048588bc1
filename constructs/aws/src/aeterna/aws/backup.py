"""Backups apart from the stores on AWS: a locked vault of AWS Backup, its plan, and the copy in a second region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.l1.backup_plan import AwsBackupPlan
from aeterna.aws.l1.backup_selection import AwsBackupSelection
from aeterna.aws.l1.backup_vault import AwsBackupVault
from aeterna.aws.l1.backup_vault_lock_configuration import AwsBackupVaultLockConfiguration
from aeterna.aws.regions import region_of, require_region
from aeterna.aws.roles import Role
from aeterna.aws.trust import from_service_alone
from aeterna.contracts.backup import BackupOutputs
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.aws.keys import AwsKey
    from aeterna.aws.l1.backup_plan import (
        AwsBackupPlanRuleBlock,
        AwsBackupPlanRuleCopyActionBlock,
        AwsBackupPlanRuleLifecycleBlock,
    )
    from aeterna.contracts.backup import BackupSpec

START_MINUTES = 60
"""Within this a backup has begun, or is given up; the least that AWS Backup takes."""
END_MINUTES = 7 * 24 * 60
"""Within this it is done, or is given up, with nothing kept of it: the first backup of a large bucket takes days."""

SHORTEST_NAME = 2
"""Of a vault (AWS Backup API reference, "CreateBackupVault")."""

POLICIES = {
    "Backup": "service-role/AWSBackupServiceRolePolicyForBackup",
    "BackupObjects": "AWSBackupServiceRolePolicyForS3Backup",
}
"""What AWS keeps for the role that makes backups. One that restores is another role's business."""


class Protected(Protocol):
    """Something that AWS Backup can back up."""

    @property
    def busy_hours(self) -> frozenset[int]:
        """Return the hours of a day (UTC) in which its service lets no backup begin."""
        ...

    @property
    def arn(self) -> Late:
        """Return its ARN."""
        ...


@names_itself
class BackupVault(Construct):
    """A vault under the key, locked so that nobody deletes a backup before its time without taking the lock off first.

    The lock is a governance lock: whoever may change it can take it off. A compliance lock could never be taken off
    again by anyone, AWS included; set ``changeable_for_days`` on the lock inside if you want that.
    """

    def __init__(self, scope: Construct, id_: str, spec: BackupSpec, *, key: AwsKey) -> None:
        super().__init__(scope, id_)
        if len(spec.name) < SHORTEST_NAME:
            problem = f"{spec.name!r} is too short for a vault"
            raise InvalidSpecError("BackupSpec", "name", problem, f"use at least {SHORTEST_NAME} characters")
        self._vault = AwsBackupVault(
            self,
            "Resource",
            name=spec.name,
            kms_key_arn=key.arn,
            force_destroy=not spec.protected,
            tags={"Name": spec.name},
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
        )
        AwsBackupVaultLockConfiguration(
            self, "Lock", backup_vault_name=self._vault.name, min_retention_days=spec.keep_days
        )
        self.arn = Late(self._vault.arn)
        self.name = Late(self._vault.name)
        self.outputs = BackupOutputs(vault=self.arn)


@names_itself
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
        _require_quiet_hours(spec, protects)
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
                "lifecycle": _lifecycle(self._spec),
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
            "lifecycle": _lifecycle(spec),
        }
        if self._copies:
            rule["copy_action"] = list(self._copies)
        return rule

    def _role(self) -> Role:
        trust = from_service_alone("backup.amazonaws.com")
        role = Role(self, "Role", named=("BackupSpec", "name", self._spec.name), suffix="backup", trust=trust)
        role.attach({id_: self._account.managed_policy(name) for id_, name in POLICIES.items()})
        return role


@names_itself
class AwsBackupCopy(Construct):
    """A vault in a second region, into which every backup of the source is copied.

    Put it into a stack whose provider is that region's, with a key of that region: a key never leaves its own.
    ``region`` is only needed where the stack has several providers of AWS, and says which of them makes this vault.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: BackupSpec,
        *,
        source: AwsBackup,
        key: AwsKey,
        region: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        where = region or region_of(self)
        if where is None:
            problem = "it is not known at synthesis which of the stack's providers makes the vault"
            raise InvalidSpecError("AwsBackupCopy", "region", problem, "name the region of the copies")
        require_region("AwsBackupCopy", "region", where)
        self.vault = BackupVault(self, "Vault", spec, key=key)
        source.copy_to(region=where, vault=spec.name)
        self.outputs = self.vault.outputs


def _lifecycle(spec: BackupSpec) -> AwsBackupPlanRuleLifecycleBlock:
    # The rest is said too, because what the service fills in would differ from what is left out, at every plan.
    return {"delete_after": spec.keep_days, "opt_in_to_archive_for_supported_resources": False}


def hours(first: int, every: int) -> list[int]:
    """Return the hours of a day in which backups begin."""
    return sorted((first + offset) % 24 for offset in range(0, 24, every))


def schedule(spec: BackupSpec) -> str:
    """Return when backups begin, in AWS's notation: ``cron(0 5,11,17,23 * * ? *)``."""
    return f"cron(0 {','.join(map(str, hours(spec.hour, spec.every_hours)))} * * ? *)"


def _require_quiet_hours(spec: BackupSpec, protects: Sequence[Protected]) -> None:
    """Refuse a backup that RDS would not let begin: it would fail every day (RDS, "Backup job could not start")."""
    busy = frozenset[int]().union(*(store.busy_hours for store in protects))
    if not busy & set(hours(spec.hour, spec.every_hours)):
        return
    free = [first for first in range(24) if not busy & set(hours(first, spec.every_hours))]
    first = ", ".join(f"{hour:02}" for hour in sorted(busy))
    problem = f"a backup would begin within an hour of a store's own backup or maintenance ({first} o'clock UTC)"
    remedy = f"use one of {', '.join(map(str, free))}" if free else "use every_hours=6 or more"
    raise InvalidSpecError("BackupSpec", "hour", problem, remedy)
