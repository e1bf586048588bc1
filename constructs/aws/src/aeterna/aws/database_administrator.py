"""The password of a database's administrator: made during an apply, kept in Secrets Manager and in no state or plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.l1.secretsmanager_secret import AwsSecretsmanagerSecret
from aeterna.aws.l1.secretsmanager_secret_version import AwsSecretsmanagerSecretVersion
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between
from aeterna.synth.l1.random.ephemeral_password import EphemeralRandomPassword
from aeterna.synth.neutral_providers import require_random

if TYPE_CHECKING:
    from aeterna.aws.keys import AwsKey
    from aeterna.synth._cdk import ITerraformDependable

LENGTH = 40
"""Letters and digits, for RDS takes no ``/``, ``"``, ``@`` or space: more than 230 bits."""
RECOVERY_DAYS = 30
"""How long a deleted secret can be brought back; the longest there is."""


class AdministratorPassword(Construct):
    """A password that exists only while it is on its way to the server and to the secret.

    Each apply makes another one, and both places take it only when ``version`` changes. `keep` writes the secret once
    the server is there. Should an apply stop between the two, they differ: raise the version, and both are set anew.
    """

    def __init__(self, scope: Construct, id_: str, *, version: int) -> None:
        super().__init__(scope, id_)
        require_between("RdsPostgres", "password_version", version, (1, 10**6), "as the version")
        require_random(self)
        self._password = EphemeralRandomPassword(self, "Password", length=LENGTH, special=False)
        self.version = version

    @property
    def value(self) -> str:
        """Return the password; only a write-only argument may take it."""
        return self._password.result

    def keep(self, *, name: str, username: str, key: AwsKey, after: ITerraformDependable) -> Late:
        """Keep it in a secret under the key, in the form of RDS's own secrets, and return the secret's ARN."""
        secret = AwsSecretsmanagerSecret(
            self,
            "Resource",
            name_prefix=f"aeterna-{name}-administrator-",
            description=f"{name}: the administrator's login",
            kms_key_id=key.arn,
            recovery_window_in_days=RECOVERY_DAYS,
            tags={"Name": f"{name}-administrator"},
        )
        content = AwsSecretsmanagerSecretVersion(
            self,
            "Version",
            secret_id=secret.id,
            secret_string_wo=json.dumps({"username": username, "password": self.value}),
            secret_string_wo_version=self.version,
            depends_on=[after],
        )
        return Late(content.arn)
