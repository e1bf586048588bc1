"""How a client of an Iceberg REST catalog on AWS proves who it is: by signing each request with its own identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.late import Late

if TYPE_CHECKING:
    from collections.abc import Mapping


def signed_by(service: str, region: str) -> Mapping[str, Late]:
    """Return the client properties that make it sign requests (Iceberg REST specification, "SigV4 authentication")."""
    return {
        "rest.sigv4-enabled": Late("true"),
        "rest.signing-name": Late(service),
        "rest.signing-region": Late(region),
    }
