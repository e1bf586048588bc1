"""Valkey on Memorystore: a copy in another zone, TLS only, logins by IAM, everything under the customer's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.cache import CacheOutputs
from aeterna.contracts.late import Late
from aeterna.gcp.agents import Agent, service_agent
from aeterna.gcp.alarm import Alarm, share
from aeterna.gcp.cache_machine import ENGINE_VERSIONS, node_type
from aeterna.gcp.grants import OneResource, Target
from aeterna.gcp.l1.memorystore_instance import GoogleMemorystoreInstance
from aeterna.gcp.reach import Closed, Door
from aeterna.synth.expressions import Fn, Token, as_list
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.alerts import AlertsSpec
    from aeterna.contracts.cache import CacheSpec
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.l1.memorystore_instance import GoogleMemorystoreInstanceAutomatedBackupConfigBlock
    from aeterna.gcp.network import GcpNetwork
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

PORT = "6379"
LOGIN = "default"
"""The one user there is; who logs in as it is told by the token that takes the password's place."""

CONNECT = "roles/memorystore.dbConnectionUser"
SECONDS_A_DAY = 86400
BACKUP_HOUR = 2
MAINTENANCE_HOUR = 4
PRIMARY, READER = "CONNECTION_TYPE_PRIMARY", "CONNECTION_TYPE_READER"
CONNECTIONS = "endpoints[*].connections[*].psc_auto_connection[*]"


@names_itself
class MemorystoreValkey(Construct):
    """A Memorystore instance for Valkey that speaks the plain protocol, not that of a cluster.

    It is attached to the network by addresses that nothing reaches until a cluster is admitted. Every account logs in
    as the one user with a token of its own, so that the users of the spec have no counterpart. The engine keeps its
    logs to itself: `CacheSpec.log_days` says nothing here.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: CacheSpec, *, place: GcpPlace, network: GcpNetwork, key: GcpKey
    ) -> None:
        super().__init__(scope, id_)
        key.require_at("CacheSpec", place.region)
        self.name = spec.name
        self._target = Target(path=f"/locations/{place.region}/instances/{spec.name}")
        self._place = place
        cache = self._instance(spec, network, key)
        host = _address(cache, PRIMARY)
        reader = _address(cache, READER) if spec.replicas else host
        self.door = Door(
            name=spec.name,
            network=network.network_id,
            addresses=(host, reader) if spec.replicas else (host,),
            port=PORT,
        )
        Closed(self, "Closed", self.door)
        self.outputs = CacheOutputs(
            host=host,
            reader_host=reader,
            port=Late(Fn.tostring(Fn.element(_each(cache, f"{CONNECTIONS}.port"), 0))),
            users={},
            certificate_authority=_certificates(cache),
        )

    def login(self, email: Late) -> Late:  # noqa: ARG002 - every account's login is the same here
        """Return the user as which every account logs in, with its own token for a password."""
        return Late(LOGIN)

    def grant_to(self, scope: Construct, id_: str, *, email: Late) -> Sequence[ITerraformDependable]:
        """Let the account log in here, and to no other cache of the project."""
        granted = OneResource(
            scope,
            id_,
            place=self._place,
            roles={"Connect": CONNECT},
            member=f"serviceAccount:{email}",
            target=self._target,
        )
        return granted.members

    def alarms(self, spec: AlertsSpec) -> tuple[Alarm, ...]:
        """Return what people are told of: a cache that is full or busy."""
        region, name = self._place.region, self.name
        this = (
            'resource.type="memorystore.googleapis.com/Instance" AND '
            f'resource.labels.location="{region}" AND resource.labels.instance_id="{name}"'
        )
        return (
            Alarm(
                name="full",
                says="is full",
                metric="memorystore.googleapis.com/instance/memory/maximum_utilization",
                resource=this,
                threshold=share(spec.full_percent),
            ),
            Alarm(
                name="busy",
                says="is busy",
                metric="memorystore.googleapis.com/instance/cpu/maximum_utilization",
                resource=this,
                threshold=share(spec.busy_percent),
            ),
        )

    def _instance(self, spec: CacheSpec, network: GcpNetwork, key: GcpKey) -> GoogleMemorystoreInstance:
        place = self._place
        usable = key.grant(
            self, "KeyUse", service_agent(place, Agent.MEMORYSTORE), after=[place.service("memorystore")]
        )
        return GoogleMemorystoreInstance(
            self,
            "Resource",
            instance_id=spec.name,
            location=place.region,
            mode="CLUSTER_DISABLED",
            shard_count=1,
            replica_count=spec.replicas,
            node_type=node_type(spec),
            engine_version=ENGINE_VERSIONS[spec.major],
            zone_distribution_config={"mode": "MULTI_ZONE"},
            desired_auto_created_endpoints=[{"network": network.network_id, "project_id": place.project}],
            authorization_mode="IAM_AUTH",
            transit_encryption_mode="SERVER_AUTHENTICATION",
            kms_key=key.id,
            persistence_config={"mode": "DISABLED"},
            automated_backup_config=_backups(spec),
            maintenance_policy={
                "weekly_maintenance_window": [{"day": "SUNDAY", "start_time": {"hours": MAINTENANCE_HOUR}}]
            },
            deletion_protection_enabled=False,
            depends_on=[place.service("memorystore"), usable, network.cache_policy],
        )


def _address(cache: GoogleMemorystoreInstance, kind: str) -> Late:
    """Return the address of the connection of one kind; the service lists them in no promised order."""
    addresses = _each(cache, f"{CONNECTIONS}.ip_address")
    kinds = _each(cache, f"{CONNECTIONS}.connection_type")
    return Late(Fn.try_([Fn.element(Fn.matchkeys(addresses, kinds, [kind]), 0), Fn.element(addresses, 0)]))


def _each(cache: GoogleMemorystoreInstance, path: str) -> list[str]:
    """Return what is at a path through lists of lists, in one list."""
    return Token.as_list(Fn.flatten(as_list(cache.reference(path))))


def _certificates(cache: GoogleMemorystoreInstance) -> Late:
    """Return every certificate that signs the server's, in one text."""
    return Late(Fn.join("\n", _each(cache, "managed_server_ca[*].ca_certs[*].certificates")))


def _backups(spec: CacheSpec) -> GoogleMemorystoreInstanceAutomatedBackupConfigBlock | None:
    if not spec.backup_days:
        return None
    return {
        "retention": f"{spec.backup_days * SECONDS_A_DAY}s",
        "fixed_frequency_schedule": {"start_time": {"hours": BACKUP_HOUR}},
    }
