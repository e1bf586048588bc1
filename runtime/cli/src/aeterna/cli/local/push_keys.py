"""The keys with which the local thread store tells receivers what became of their tasks."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from aeterna.cli.local.state_dir import write_private

if TYPE_CHECKING:
    from aeterna.cli.local.state_dir import StateDir

_SECRETS_KEY_BYTES = 32


def make_push_keys(state: StateDir) -> None:
    """Make each key when it is not there yet; what was sealed under a lost one cannot be read again."""
    if not state.push_secrets_key.exists():
        write_private(state.push_secrets_key, base64.b64encode(secrets.token_bytes(_SECRETS_KEY_BYTES)).decode("ascii"))
    if not state.push_signing_key.exists():
        private = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(state.push_signing_key, private.decode("ascii"))
