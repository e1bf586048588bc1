"""The vault that the customer's keys are kept in on Azure: one for each environment and region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.data_key_vault import DataAzurermKeyVault
from aeterna.azure.l1.key_vault import AzurermKeyVault
from aeterna.azure.names import DIGEST, LONGEST_VAULT, shortened
from aeterna.azure.roles import Granted
from aeterna.azure.runners import allowed
from aeterna.azure.worldwide import place_digest
from aeterna.contracts.late import Late
from aeterna.synth.app import Annotations
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.place import AzurePlace
    from aeterna.synth._cdk import ITerraformDependable

DEPLOYER = "Key Vault Crypto Officer"
RETENTION_DAYS = 90
"""The longest that Azure keeps a deleted key; `KeySpec.grace` asks for 30 at most."""

TAKEOVER = Lifecycle(ignore_changes=["principal_id"])
"""Whoever applies next is somebody else: following them would take the first one's rights away."""


class AzureKeyVault(Construct):
    """A vault that roles alone open, that cannot be emptied for good for 90 days, and that is closed to the internet.

    - ``environment`` leads the name. The rest of it is a digest of subscription, group and region, so that the name is
      free in all of Azure and the same after a vault was deleted by mistake: Azure then gives the old one back.
    - ``runners`` are the public blocks from which the pipeline makes keys. Default: none, which is right only for a
      pipeline that has a private way of its own.
    - ``protect`` refuses to destroy it. Purge protection cannot be switched off in any case: stores demand it.

    Keys are made by the vault's own interface, so its maker gets a role on it, and keys wait for `ready`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: str,
        place: AzurePlace,
        runners: Sequence[str] = (),
        protect: bool = True,
    ) -> None:
        super().__init__(scope, id_)
        name = shortened(environment, longest=LONGEST_VAULT - DIGEST - 1)
        vault = AzurermKeyVault(
            self,
            "Resource",
            name=f"{name}-{place_digest(environment, place)}",
            location=place.location,
            resource_group_name=place.group_name,
            tenant_id=place.tenant_id,
            sku_name="premium",
            rbac_authorization_enabled=True,
            purge_protection_enabled=True,
            soft_delete_retention_days=RETENTION_DAYS,
            public_network_access_enabled=True,
            network_acls={
                "default_action": "Deny",
                "bypass": "AzureServices",
                "ip_rules": list(allowed("AzureKeyVault", runners)),
            },
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=protect)),
        )
        self.id, self.name, self.uri = Late(vault.id), Late(vault.name), Late(vault.vault_uri)
        officer = Granted(
            self, "Deployer", role=DEPLOYER, on=vault.id, to=place.deployer_id, kind=None, lifecycle=TAKEOVER
        )
        self.ready: tuple[ITerraformDependable, ...] = officer.ready
        if not runners:
            Annotations.of(self).add_warning("no runners are named: only a pipeline with a private way can make keys")

    @classmethod
    def existing(cls, scope: Construct, id_: str, *, name: str, group: str) -> AzureKeyVault:
        """Take a vault that the customer already has, in which whoever applies may make keys."""
        return _ExistingVault(scope, id_, name=name, group=group)

    @classmethod
    def of(
        cls, place: AzurePlace, *, environment: str, runners: Sequence[str] = (), protect: bool = True
    ) -> AzureKeyVault:
        """Return the place's vault for an environment, made when it is first asked for."""
        id_ = f"KeyVault-{environment}"
        found = place.node.try_find_child(id_)
        if isinstance(found, AzureKeyVault):
            return found
        return cls(place, id_, environment=environment, place=place, runners=runners, protect=protect)


@names_itself
class _ExistingVault(AzureKeyVault):
    """A vault that is only looked up."""

    def __init__(self, scope: Construct, id_: str, *, name: str, group: str) -> None:
        Construct.__init__(self, scope, id_)
        found = DataAzurermKeyVault(self, "Resource", name=name, resource_group_name=group)
        self.id, self.name, self.uri = Late(found.id), Late(found.name), Late(found.vault_uri)
        self.ready = (found,)
