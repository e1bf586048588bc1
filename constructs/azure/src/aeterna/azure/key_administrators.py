"""Who may change and delete a key without being able to use it: a role of its own, as Azure has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.role_assignment import AzurermRoleAssignment
from aeterna.azure.l1.role_definition import AzurermRoleDefinition
from aeterna.azure.principals import require_objects
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.keys import KeySpec
    from aeterna.synth.values import Text

ADMINISTER = (
    "Microsoft.KeyVault/vaults/keys/read",
    "Microsoft.KeyVault/vaults/keys/update/action",
    "Microsoft.KeyVault/vaults/keys/delete",
    "Microsoft.KeyVault/vaults/keys/recover/action",
    "Microsoft.KeyVault/vaults/keys/rotate/action",
    "Microsoft.KeyVault/vaults/keyrotationpolicies/read",
    "Microsoft.KeyVault/vaults/keyrotationpolicies/write",
)
"""No encrypt, decrypt, wrap, unwrap, sign or verify, and no purge. "Key Vault Crypto Officer" has all of them."""


@names_itself
class KeyAdministrators(Construct):
    """The role, and its assignment to each administrator on the one key."""

    def __init__(self, scope: Construct, id_: str, spec: KeySpec, *, place: AzurePlace, key_id: Text) -> None:
        super().__init__(scope, id_)
        require_objects("KeySpec", "administrators", spec.administrators)
        role = AzurermRoleDefinition(
            self,
            "Role",
            # The name has to be free in the whole directory.
            name=f"{place.label} {place.location} {spec.environment}-{spec.purpose} key administrator",
            scope_=place.group_id,
            assignable_scopes=[place.group_id],
            description="Changes and deletes the key; cannot use it.",
            permissions=[{"data_actions": ADMINISTER}],
        )
        for number, principal in enumerate(spec.administrators, start=1):
            AzurermRoleAssignment(
                self,
                f"Administrator{number}",
                scope_=key_id,
                role_definition_id=role.role_definition_resource_id,
                principal_id=principal,
            )
