"""Encrypts a stack's state and plans with a key of the customer's, by OpenTofu's own means.

OpenTofu 1.7 and newer reads it; Terraform refuses the block, so nothing is ever written in the clear by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth.lowering import lower

if TYPE_CHECKING:
    from aeterna.synth._cdk import TerraformStack

NAME: Final = "state"

REQUIRED: Final[Mapping[str, frozenset[str]]] = {
    "aws_kms": frozenset({"kms_key_id", "key_spec"}),
    "azure_vault": frozenset({"vault_uri", "vault_key_name", "key_length"}),
    "gcp_kms": frozenset({"kms_encryption_key", "key_length"}),
    "openbao": frozenset({"key_name"}),
}
"""What OpenTofu 1.12.6 cannot do without in the settings of its key providers (internal/encryption/keyprovider)."""

AES_KEY_LENGTHS: Final = frozenset({16, 24, 32})
"""Bytes: the keys that the method ``aes_gcm`` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateKey:
    """The key that encrypts a state: one of OpenTofu's key providers and its settings.

    The settings are known before anything is deployed: a state cannot be decrypted with a key that it creates.
    """

    provider: str
    """The key provider's type, such as ``openbao`` or ``pbkdf2``."""
    settings: Mapping[str, object]

    def __post_init__(self) -> None:
        """Refuse what OpenTofu would refuse only when it is first run."""
        missing = REQUIRED.get(self.provider, frozenset()) - self.settings.keys()
        if missing:
            names = ", ".join(sorted(missing))
            raise InvalidSpecError("StateKey", "settings", f"{self.provider} lacks {names}", f"add {names}")
        length = self.settings.get("key_length", 32)
        if length not in AES_KEY_LENGTHS:
            raise InvalidSpecError("StateKey", "settings", f"no AES key has {length!r} bytes", "use a key_length of 32")


def encrypt_state(stack: TerraformStack, key: StateKey) -> None:
    """Encrypt the stack's state and plans, and refuse to read or write either unencrypted.

    The states of other stacks that it reads are decrypted with the same key, which OpenTofu has to be told: it tries no
    key on them by itself and stops with "This state file is encrypted". So stacks that read each other share a key, and
    an unencrypted state cannot be read from an encrypted stack.
    """
    method = f"method.aes_gcm.{NAME}"
    target = {"method": method, "enforced": True}
    stack.add_override(
        "terraform.encryption",
        {
            "key_provider": {key.provider: {NAME: lower(key.settings, "encryption")}},
            # A reference to a key provider is an expression; one to a method is a bare traversal. OpenTofu wants it so.
            "method": {"aes_gcm": {NAME: {"keys": f"${{key_provider.{key.provider}.{NAME}}}"}}},
            "state": target,
            "plan": target,
            "remote_state_data_sources": {"default": {"method": method}},
        },
    )
