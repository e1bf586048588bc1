"""State and plans are encrypted by OpenTofu itself, and an unencrypted one is refused."""

from __future__ import annotations

import pytest

from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth.app import TerraformStack
from aeterna.synth.encryption import StateKey, encrypt_state
from aeterna.synth.testing import app, synthesized


def test_state_and_plan_are_encrypted_and_nothing_else_is_accepted() -> None:
    stack = TerraformStack(app(), "main")
    encrypt_state(stack, StateKey(provider="openbao", settings={"key_name": "state"}))

    encryption = synthesized(stack).json["terraform"]["encryption"]

    assert encryption == {
        "key_provider": {"openbao": {"state": {"key_name": "state"}}},
        "method": {"aes_gcm": {"state": {"keys": "${key_provider.openbao.state}"}}},
        "state": {"method": "method.aes_gcm.state", "enforced": True},
        "plan": {"method": "method.aes_gcm.state", "enforced": True},
        "remote_state_data_sources": {"default": {"method": "method.aes_gcm.state"}},
    }


@pytest.mark.parametrize(
    ("provider", "lacking"),
    [
        ("aws_kms", "key_spec, kms_key_id"),
        ("azure_vault", "key_length, vault_key_name, vault_uri"),
        ("gcp_kms", "key_length, kms_encryption_key"),
        ("openbao", "key_name"),
    ],
)
def test_a_key_that_the_engine_could_not_find_is_refused(provider: str, lacking: str) -> None:
    with pytest.raises(InvalidSpecError, match=lacking):
        StateKey(provider=provider, settings={})


def test_a_key_of_a_length_that_the_cipher_does_not_take_is_refused() -> None:
    """OpenTofu would ask the cloud for 31 bytes, pay for it, and then find that AES has no such key."""
    with pytest.raises(InvalidSpecError, match="31"):
        StateKey(provider="gcp_kms", settings={"kms_encryption_key": "k", "key_length": 31})
