"""The name by which a database's certificate knows it, and the zone that leads it to the database's address."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.late import Late
from aeterna.contracts.naming import suffixed
from aeterna.gcp.l1.dns_managed_zone import GoogleDnsManagedZone
from aeterna.gcp.l1.dns_record_set import GoogleDnsRecordSet
from aeterna.synth.expressions import Fn, Token, as_list

if TYPE_CHECKING:
    from aeterna.gcp.l1.data_sql_database_instance import DataGoogleSqlDatabaseInstance
    from aeterna.gcp.l1.sql_database_instance import GoogleSqlDatabaseInstance
    from aeterna.gcp.network import GcpNetwork
    from aeterna.gcp.place import GcpPlace

LONGEST_ZONE_NAME = 63
TTL = 300


class Way(StrEnum):
    """How a server is reached; for each it has a name of its own, and one certificate for all of them."""

    PEERING = "PRIVATE_SERVICES_ACCESS"
    """By its address in the range that the network lends to Google."""

    ENDPOINT = "PRIVATE_SERVICE_CONNECT"
    """By an address of any network's own that stands for it."""


class DatabaseName(Construct):
    """A private zone for one server's own name, which Google gives out but does not lead anywhere.

    The certificate that the region's authority signs is for that name, and for no address: without it a client could
    check who signed the certificate and not whose it is. `host` is the name.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        zone: str,
        own_name: str,
        address: str,
        place: GcpPlace,
        network: GcpNetwork,
    ) -> None:
        super().__init__(scope, id_)
        private = GoogleDnsManagedZone(
            self,
            "Zone",
            name=suffixed("DatabaseSpec", "name", zone, "database", longest=LONGEST_ZONE_NAME),
            description="Leads the name in a database's certificate to its address",
            dns_name=own_name,
            visibility="private",
            private_visibility_config={"networks": [{"network_url": network.network_id}]},
            depends_on=[place.service("dns")],
        )
        record = GoogleDnsRecordSet(
            self,
            "Record",
            managed_zone=private.name,
            name=private.dns_name,
            type="A",
            ttl=TTL,
            rrdatas=[address],
        )
        self.host = Late(Fn.trimsuffix(record.name, "."))


def own_name(server: GoogleSqlDatabaseInstance | DataGoogleSqlDatabaseInstance, way: Way) -> str:
    """Return the server's name for one way to it, with a dot at the end."""
    names = as_list(server.reference("dns_names[*].name"))
    ways = as_list(server.reference("dns_names[*].connection_type"))
    scopes = as_list(server.reference("dns_names[*].dns_scope"))
    keys = Token.as_list(Fn.formatlist("%s/%s", [ways, scopes]))
    found = Fn.matchkeys(names, keys, [f"{way}/INSTANCE"])
    return Fn.try_([Fn.element(found, 0), server.dns_name])
