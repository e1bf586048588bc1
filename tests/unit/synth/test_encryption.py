"""State and plans are encrypted by OpenTofu itself, and an unencrypted one is refused."""

from __future__ import annotations

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
    }
