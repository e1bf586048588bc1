"""The database as the platform's parts see it: how they log in, and what proves the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs import Construct

from aeterna.platform.l1.kubernetes.config_map_v1 import KubernetesConfigMapV1
from aeterna.platform.metadata import metadata
from aeterna.platform.names import DATABASE_TRUST
from aeterna.platform.volumes import config
from aeterna.synth.lifecycle import Lifecycle, Postcondition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.platform.site import Site
    from aeterna.platform.volumes import Mounted
    from aeterna.synth._cdk import ITerraformDependable

FOLDER: Final = "/etc/aeterna/database"
FILE: Final = "ca.pem"


_IS_PEM: Final = f'${{startswith(self.data["{FILE}"], "-----BEGIN CERTIFICATE-----")}}'
_FETCH: Final = (
    "The foundation says where the database's certificates are, and not what they are: "
    "fetch what is at database.certificate_authority and give it as PlatformSpec.database_authority."
)


class DatabaseTrust(Construct):
    """The certificates that prove the database, as a file for pods.

    The contract has them in PEM or says where they are. A pod could fetch them only from the internet, which it cannot
    reach, so where there is an address the spec has to bring what is there; that is looked at when it is applied.
    """

    def __init__(self, scope: Construct, id_: str, site: Site, *, after: Sequence[ITerraformDependable] = ()) -> None:
        super().__init__(scope, id_)
        given, told = site.spec.database_authority, site.foundation.database.certificate_authority
        self.config_map = KubernetesConfigMapV1(
            self,
            "Resource",
            metadata=metadata(DATABASE_TRUST, "configuration", site),
            data={FILE: told if given is None else given},
            depends_on=after,
            lifecycle=Lifecycle(postcondition=[Postcondition(condition=_IS_PEM, error_message=_FETCH)]),
        )


def connection(site: Site, account: str) -> dict[str, str]:
    """Return the settings of a connection as a service account, without a prefix. There is no password in them."""
    database = site.foundation.database
    address = f"host={database.host} port={database.port} dbname={database.database}"
    return {
        "DSN": f"{address} user='{site.login(account)}' sslmode=verify-full",
        "DSN_LOGIN": site.foundation.cloud,
        "DSN_CA_FILE": f"{FOLDER}/{FILE}",
    }


def trust() -> Mounted:
    """Return the mount of what proves the database."""
    return config("database", FOLDER, DATABASE_TRUST)
