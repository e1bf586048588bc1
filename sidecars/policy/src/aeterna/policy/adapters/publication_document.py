"""The document that says what is in force, as the state folder writes it down and reads it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.policy.adapters.sealed_files import FileDamagedError
from aeterna.policy.domain.publication import Publication

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORMAT: Final = 1


def document_of(publication: Publication) -> Mapping[str, object]:
    """Return what is to be sealed."""
    return {
        "format": _FORMAT,
        "epoch": publication.epoch,
        "digest": publication.digest,
        "confirmed_at": publication.confirmed_at,
    }


def publication_of(document: Mapping[str, object]) -> Publication:
    """Return what a sealed document says, or raise `FileDamagedError`: a checksum vouches for no format."""
    match document:
        case {"epoch": int(epoch), "digest": str(digest), "confirmed_at": int() | float() as confirmed_at} if (
            document.get("format") == _FORMAT
        ):
            return Publication(epoch=epoch, digest=digest, confirmed_at=float(confirmed_at))
        case _:
            raise FileDamagedError("is of a format that this version does not know")
