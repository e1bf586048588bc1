"""The customer's keys on Azure: one for each purpose, rotated by the vault, and used by one identity at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.key_administrators import KeyAdministrators
from aeterna.azure.l1.data_key_vault_key import DataAzurermKeyVaultKey
from aeterna.azure.l1.key_vault_key import AzurermKeyVaultKey
from aeterna.azure.l1.user_assigned_identity import AzurermUserAssignedIdentity
from aeterna.azure.names import digest, shortened
from aeterna.azure.place import AzurePlace
from aeterna.azure.roles import Granted
from aeterna.azure.vault import AzureKeyVault
from aeterna.contracts.keys import KeyOutputs
from aeterna.contracts.late import Late
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.keys import KeySpec
    from aeterna.synth._cdk import ITerraformDependable
    from aeterna.synth.values import Text

USE = "Key Vault Crypto Service Encryption User"
"""Wrapping and unwrapping of other keys, and nothing else: what every service that encrypts does."""

BITS = 3072
OPERATIONS = ("decrypt", "encrypt", "unwrapKey", "wrapKey")
"""Services wrap; Kubernetes' secrets and the states of a foundation are encrypted directly. Roles say who may."""

LONGEST_LABEL = 64


@names_itself
class AzureKey(Construct):
    """An RSA key for one purpose. Nobody may use it until a construct asks for that, each time for one identity.

    The vault rotates it; stores follow by themselves, because they name no version. It has no end: a version that
    ends takes with it whatever a store has not wrapped again yet.

    ``hardware`` keeps it in a hardware module. Default: off, as not every service takes such a key.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: KeySpec,
        *,
        place: AzurePlace,
        vault: AzureKeyVault | None = None,
        hardware: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        self.vault = vault or AzureKeyVault.of(place, environment=spec.environment, protect=spec.protected)
        key = AzurermKeyVaultKey(
            self,
            "Resource",
            name=f"{spec.environment}-{spec.purpose}",
            key_vault_id=self.vault.id,
            key_type="RSA-HSM" if hardware else "RSA",
            key_size=BITS,
            key_opts=OPERATIONS,
            rotation_policy={"automatic": {"time_after_creation": f"P{spec.rotation.days}D"}},
            tags={"aeterna:purpose": spec.purpose},
            depends_on=self.vault.ready,
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
        )
        self._settle(f"{spec.environment}-{spec.purpose}", key)
        if spec.administrators:
            KeyAdministrators(self, "Administrators", spec, place=place, key_id=self.resource_versionless_id)

    @classmethod
    def existing(cls, scope: Construct, id_: str, *, vault: AzureKeyVault, name: str) -> AzureKey:
        """Take a key that the customer already has; whoever applies may read it and assign roles on it."""
        return _ExistingKey(scope, id_, vault=vault, name=name)

    def identity_for(self, scope: Construct, id_: str, *, place: AzurePlace | None = None) -> KeyUser:
        """Return a new identity, in the given scope, that may use this key and no other."""
        return KeyUser(scope, id_, key=self, place=place or AzurePlace.of(scope))

    def grant(self, scope: Construct, id_: str, *, to: Text, role: str = USE) -> Granted:
        """Let a principal use this key and no other; for services that bring an identity of their own."""
        return Granted(scope, id_, role=role, on=self.resource_versionless_id, to=to)

    def _settle(self, label: str, key: AzurermKeyVaultKey | DataAzurermKeyVaultKey) -> None:
        self.label = label
        """The key's name, known now."""
        self.id = Late(key.id)
        """With the version: for the few services that do not follow a rotation by themselves."""
        self.versionless_id = Late(key.versionless_id)
        self.resource_versionless_id = Late(key.resource_versionless_id)
        """What a role is assigned on."""
        self.outputs = KeyOutputs(key_id=self.versionless_id, alias=Late(key.name))


@names_itself
class _ExistingKey(AzureKey):
    """A key that is only looked up."""

    def __init__(self, scope: Construct, id_: str, *, vault: AzureKeyVault, name: str) -> None:
        Construct.__init__(self, scope, id_)
        self.vault = vault
        self._settle(name, DataAzurermKeyVaultKey(self, "Resource", name=name, key_vault_id=vault.id))


class KeyUser(Construct):
    """An identity that a store takes to use one key. The store waits for `ready`, or its making is refused."""

    def __init__(self, scope: Construct, id_: str, *, key: AzureKey, place: AzurePlace) -> None:
        super().__init__(scope, id_)
        identity = AzurermUserAssignedIdentity(
            self,
            "Resource",
            # Two stores under one key have two identities; of one name, the second would silently be the first.
            name=f"{shortened(key.label, longest=LONGEST_LABEL)}-{digest(self.node.path)}",
            location=place.location,
            resource_group_name=place.group_name,
        )
        self.id = Late(identity.id)
        self.principal_id = Late(identity.principal_id)
        self.client_id = Late(identity.client_id)
        self.ready: tuple[ITerraformDependable, ...] = key.grant(self, "Use", to=identity.principal_id).ready
