"""Where a stack's state is kept on Azure: a blob with a lease as its lock, under the customer's key twice over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.storage_container import AzurermStorageContainer
from aeterna.azure.names import account_name
from aeterna.azure.regions import PAIRS, require_region
from aeterna.azure.roles import Granted
from aeterna.azure.storage import LONGEST_RECOVERABLE, AccountSpec, StorageAccount
from aeterna.azure.vault import TAKEOVER
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.state import StateStoreOutputs
from aeterna.synth.app import TerraformStack
from aeterna.synth.backends import AzurermBackend
from aeterna.synth.encryption import StateKey, encrypt_state
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.keys import AzureKey
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.state import StateSpec, StateStoreSpec

CONTAINER = "tfstate"
OWNER = "Storage Blob Data Owner"
"""Reading, writing, and breaking the lease that a dead run left behind."""

KEY_URL = re.compile(
    r"(?P<vault>https://[a-z](?:-?[a-z0-9]){1,22}[a-z0-9]\.vault\.azure\.net/)keys/(?P<name>[A-Za-z0-9-]{1,127})"
)
AES_256 = 32
"""Bytes of the key that encrypts a state, which the vault's key encrypts in turn."""


def keep_state(scope: Construct, spec: StateSpec, *, region: str) -> None:
    """Keep the state of the scope's stack in the account of that name, under ``path/<stack>.tfstate``.

    Whoever applies is known to the account by a role, and never by a key of the account. With a key, OpenTofu has
    encrypted the state before it gets there; the version that did is written beside it, so a rotation needs nothing.
    """
    require_region("StateSpec", "region", spec.region or region)
    stack = TerraformStack.of(scope)
    AzurermBackend(
        stack,
        storage_account_name=account_name(spec.bucket),
        container_name=CONTAINER,
        key=f"{spec.path}/{stack.node.id}.tfstate",
        use_azuread_auth=True,
    )
    if spec.key is not None:
        vault, name = _parsed(spec.key)
        settings = {"vault_uri": vault, "vault_key_name": name, "key_length": AES_256}
        encrypt_state(stack, StateKey(provider="azure_vault", settings=settings))


@names_itself
class StateStore(Construct):
    """An account for states: versioned, under the key, opened by roles, and only to the pipeline's own addresses.

    ``runners`` are the public blocks from which the pipeline reaches it. Default: none, which is right only for a
    pipeline that has a private way of its own.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: StateStoreSpec,
        *,
        place: AzurePlace,
        key: AzureKey,
        runners: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id_)
        account = AccountSpec(
            name=account_name(spec.name),
            recoverable_days=min(spec.noncurrent_days, LONGEST_RECOVERABLE),
            versions=True,
            runners=tuple(runners),
            protected=spec.protected,
        )
        store = StorageAccount(self, "Account", account, place=place, key=key)
        if PAIRS[place.location] is not None:
            # A few kilobytes, without which nobody can take over what stands in the second region.
            store.copy_to_pair()
        container = AzurermStorageContainer(
            self,
            "Resource",
            name=CONTAINER,
            storage_account_id=store.id,
            container_access_type="private",
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
        )
        store.forget_versions(self, "Lifecycle", days=spec.noncurrent_days)
        Granted(self, "Deployer", role=OWNER, on=container.id, to=place.deployer_id, kind=None, lifecycle=TAKEOVER)
        self.outputs = StateStoreOutputs(bucket=Late(store.name), key=key.versionless_id)


def _parsed(key: str) -> tuple[str, str]:
    found = KEY_URL.fullmatch(key)
    if found is None:
        remedy = "write one such as 'https://<vault>.vault.azure.net/keys/<name>', without a version"
        raise InvalidSpecError("StateSpec", "key", f"{key!r} is not the address of a key in a vault", remedy)
    return found["vault"], found["name"]
