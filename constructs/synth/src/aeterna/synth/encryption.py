"""Encrypts a stack's state and plans with a key of the customer's, by OpenTofu's own means.

OpenTofu 1.7 and newer reads it; Terraform refuses the block, so nothing is ever written in the clear by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.synth.lowering import lower

if TYPE_CHECKING:
    from aeterna.synth._cdk import TerraformStack

NAME: Final = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateKey:
    """The key that encrypts a state: one of OpenTofu's key providers and its settings.

    The settings are known before anything is deployed: a state cannot be decrypted with a key that it creates.
    """

    provider: str
    """The key provider's type, such as ``openbao`` or ``pbkdf2``."""
    settings: Mapping[str, object]


def encrypt_state(stack: TerraformStack, key: StateKey) -> None:
    """Encrypt the stack's state and plans, and refuse to read or write either unencrypted."""
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
        },
    )
