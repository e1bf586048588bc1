"""What every signer of bundles does, the fake and the one with a key in a file alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.adapters.signing import new_key
from aeterna.policies.adapters.key_file import KeyFileSigner
from aeterna.policies.errors import SigningKeyMissingError
from aeterna.policies.ports import Signer
from aeterna.policies.testing import FakeSigner

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A signer, and what becomes of its key."""

    signer: Signer
    rotate: Callable[[], object]
    lose: Callable[[], object]


def fake(_folder: Path) -> Keyed:
    """Return the fake."""
    signer = FakeSigner()

    def become(key: str | None) -> None:
        signer.key = key

    return Keyed(signer=signer, rotate=lambda: become("other"), lose=lambda: become(None))


def in_a_file(folder: Path) -> Keyed:
    """Return the signer that reads its key from a file."""
    file = folder / "signing.pem"
    file.write_bytes(new_key()[0])
    return Keyed(signer=KeyFileSigner(file), rotate=lambda: file.write_bytes(new_key()[0]), lose=file.unlink)


@pytest.fixture(params=[fake, in_a_file], ids=["fake", "file"])
def keyed(request: pytest.FixtureRequest, tmp_path: Path) -> Keyed:
    """Return a signer of each kind."""
    made: Callable[[Path], Keyed] = request.param
    return made(tmp_path)


def test_a_proof_names_the_key_that_made_it(keyed: Keyed) -> None:
    assert keyed.signer.key_id() in keyed.signer.sign(b"body").split(";")


def test_another_body_has_another_proof_and_the_same_body_the_same(keyed: Keyed) -> None:
    proofs = [keyed.signer.sign(body) for body in (b"one", b"one", b"two")]

    assert (proofs[0] == proofs[1], proofs[0] == proofs[2]) == (True, False)


def test_a_rotated_key_signs_what_is_signed_next(keyed: Keyed) -> None:
    """Readers are given both keys for a while; the administration is not restarted."""
    before = keyed.signer.key_id(), keyed.signer.sign(b"body")

    keyed.rotate()

    assert not set(before) & {keyed.signer.key_id(), keyed.signer.sign(b"body")}


def test_without_a_key_nothing_is_proven(keyed: Keyed) -> None:
    keyed.lose()

    with pytest.raises(SigningKeyMissingError):
        keyed.signer.key_id()
    with pytest.raises(SigningKeyMissingError):
        keyed.signer.sign(b"body")
