"""The key with which the local administration signs bundles, and the policies that it begins with."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from aeterna.cli.errors import CommandError
from aeterna.cli.local.state_dir import write_private

if TYPE_CHECKING:
    from aeterna.cli.local.state_dir import StateDir

_SIDECAR = "aeterna.policy"


def make_bundle_key(state: StateDir) -> None:
    """Make the pair of keys when it is not there yet; the public half last, so that it is there only with the other."""
    if state.bundle_key.exists() and state.bundle_public_key.exists():
        return
    fresh = Ed25519PrivateKey.generate()
    private = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = fresh.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_private(state.bundle_key, private.decode("ascii"))
    write_private(state.bundle_public_key, public.decode("ascii"))


def shipped_policies() -> Path:
    """Return the folder of the policies that the sidecar ships, which is found without importing the sidecar."""
    found = importlib.util.find_spec(_SIDECAR)
    if found is None or not found.submodule_search_locations:
        raise CommandError("the policy sidecar is not installed", "run: make venv")
    return Path(found.submodule_search_locations[0]) / "bundle"
