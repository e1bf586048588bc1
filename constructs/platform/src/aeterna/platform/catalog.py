"""The Iceberg catalog as the platform's parts see it: where it is, and how they log in where it is a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.errors import InvalidSpecError
from aeterna.platform.database import FILE, FOLDER, trust

if TYPE_CHECKING:
    from aeterna.platform.site import Site
    from aeterna.platform.volumes import Mounted


def in_database(site: Site) -> bool:
    """Whether the catalog is a database of the foundation's server, whose tables and logins somebody has to make."""
    return site.foundation.catalog.database is not None


def tables(site: Site, account: str) -> dict[str, str]:
    """Return where graphs are kept as a service account reaches it, without a prefix. There is no password in it."""
    catalog = site.foundation.catalog
    if catalog.address is None or catalog.files is None:
        problem = "it was deployed by a release that did not tell its address"
        raise InvalidSpecError("FoundationOutputs", "catalog", problem, "apply the foundation of this release")
    address = str(catalog.address)
    if in_database(site):
        address += f"&user={site.login(account)}&sslrootcert={FOLDER}/{FILE}"
    return {"CATALOG_URI": address, "WAREHOUSE": catalog.files}


def proofs(site: Site) -> tuple[Mounted, ...]:
    """Return the mounts that the address speaks of."""
    return (trust(),) if in_database(site) else ()
