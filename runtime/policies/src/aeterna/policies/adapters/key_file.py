"""Signs bundles with the key in a file, which may be replaced while we run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.cedar.adapters.signing import key_id, private_key, sign
from aeterna.cedar.errors import BundleSignatureError
from aeterna.policies.errors import SigningKeyMissingError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class KeyFileSigner:
    """A `Signer` that reads its file each time: a rotated key signs the next answer, without a restart."""

    def __init__(self, file: Path | None) -> None:
        """Take the file with an Ed25519 private key in PEM; without one every call is refused."""
        self._file = file

    def key_id(self) -> str:
        """See `Signer.key_id`."""
        return key_id(self._key().public_key())

    def sign(self, body: bytes) -> str:
        """See `Signer.sign`."""
        return sign(self._key(), body)

    def _key(self) -> Ed25519PrivateKey:
        if self._file is None:
            raise SigningKeyMissingError("no key was given")
        try:
            return private_key(self._file.read_bytes())
        except OSError as exc:
            raise SigningKeyMissingError(f"{self._file}: {type(exc).__name__}") from exc
        except BundleSignatureError as exc:
            raise SigningKeyMissingError(str(exc)) from exc
