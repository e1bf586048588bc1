"""The vault for backups on Google Cloud: a locked bucket under a key of its own, and what fills it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.backup import BackupOutputs
from aeterna.gcp.bucket import GcsBucket
from aeterna.gcp.exports import DatabaseExports, ExportedDatabase, at_hours
from aeterna.gcp.transfers import Mirror, Replication
from aeterna.gcp.vault import GcsVault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.backup import BackupSpec
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace


class GcpBackup(Construct):
    """A vault, exports of each database into it, and a mirror of each bucket in it.

    Google's own vault, of Backup and DR Service, takes no database that is under a customer's key (ADR 0021). A store's
    place in the sequence is its place in the tree: append new ones, or backups are set up anew.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: BackupSpec,
        *,
        place: GcpPlace,
        key: GcpKey,
        protects: Sequence[ExportedDatabase | GcsBucket],
    ) -> None:
        super().__init__(scope, id_)
        self.vault = GcsVault(self, "Vault", spec, place=place, key=key)
        for position, store in enumerate(protects):
            if isinstance(store, GcsBucket):
                Mirror(
                    self,
                    f"Bucket{position}",
                    place=place,
                    source=store.name,
                    sink=self.vault.name,
                    path=f"buckets/{position}/",
                    hours=spec.every_hours,
                    hour=spec.hour,
                )
            else:
                DatabaseExports(
                    self,
                    f"Database{position}",
                    name=f"{spec.name}-{position}",
                    place=place,
                    vault=self.vault,
                    database=store,
                    schedule=at_hours(first=spec.hour, every=spec.every_hours),
                )
        self.outputs = BackupOutputs(vault=self.vault.url)


class GcpBackupCopy(Construct):
    """A vault in a second region, under a key of that region, that receives a copy of every backup."""

    def __init__(
        self, scope: Construct, id_: str, spec: BackupSpec, *, source: GcpBackup, place: GcpPlace, key: GcpKey
    ) -> None:
        super().__init__(scope, id_)
        vault = GcsVault(self, "Vault", spec, place=place, key=key)
        Replication(self, "Replication", name=spec.name, place=place, source=source.vault.name, sink=vault.name)
        self.outputs = BackupOutputs(vault=vault.url)
