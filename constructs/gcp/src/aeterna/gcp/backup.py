"""The vault for backups on Google Cloud: a locked bucket under a key of its own, and what fills it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.backup import BackupOutputs
from aeterna.gcp.bucket import GcsBucket
from aeterna.gcp.exports import DatabaseExports, ExportedDatabase, at_hours
from aeterna.gcp.transfers import HOURS_A_DAY, Ends, ScheduledCopy
from aeterna.gcp.vault import EXPORTS, MIRRORS, GcsVault
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.backup import BackupSpec
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace


@names_itself
class GcpBackup(Construct):
    """A vault, exports of each database into it, and a mirror of each bucket in it.

    Google's own vault, of Backup and DR Service, takes no database that is under a customer's key (ADR 0022). A store's
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
        self.mirrors = False
        for position, store in enumerate(protects):
            if isinstance(store, GcsBucket):
                self.mirrors = True
                ScheduledCopy(
                    self,
                    f"Bucket{position}",
                    name=f"{spec.name}: a mirror of a bucket",
                    place=place,
                    ends=Ends(source=store.name, sink=self.vault.name, sink_path=f"{MIRRORS}{position}/"),
                    hours=spec.every_hours,
                    hour=spec.hour,
                    erase=True,
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


@names_itself
class GcpBackupCopy(Construct):
    """A vault in a second region, under a key of that region, that receives a copy of every backup."""

    def __init__(
        self, scope: Construct, id_: str, spec: BackupSpec, *, source: GcpBackup, place: GcpPlace, key: GcpKey
    ) -> None:
        super().__init__(scope, id_)
        vault = GcsVault(self, "Vault", spec, place=place, key=key)
        self._copy("Databases", spec, place=place, path=EXPORTS, source=source.vault, sink=vault)
        if source.mirrors:
            self._copy("Buckets", spec, place=place, path=MIRRORS, source=source.vault, sink=vault)
        self.outputs = BackupOutputs(vault=vault.url)

    def _copy(
        self, id_: str, spec: BackupSpec, *, place: GcpPlace, path: str, source: GcsVault, sink: GcsVault
    ) -> None:
        """Copy a part of the vault an hour after its backups begin. An export that is lost there is kept here."""
        ScheduledCopy(
            self,
            id_,
            name=f"{spec.name}: {path} of the first region",
            place=place,
            ends=Ends(source=source.name, sink=sink.name, source_path=path, sink_path=path),
            hours=spec.every_hours,
            hour=(spec.hour + 1) % HOURS_A_DAY,
            erase=path == MIRRORS,
        )
