"""Copies of objects from one bucket to another, by Storage Transfer Service: as they are written, or every so often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.late import Late
from aeterna.gcp.agents import storage_agent, transfer_agent
from aeterna.gcp.bucket import BucketGrant
from aeterna.gcp.l1.project_iam_member import GoogleProjectIamMember
from aeterna.gcp.l1.storage_transfer_job import GoogleStorageTransferJob
from aeterna.gcp.waiting import settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.gcp.l1.storage_transfer_job import (
        GoogleStorageTransferJobScheduleBlock,
        GoogleStorageTransferJobScheduleScheduleStartDateBlock,
        GoogleStorageTransferJobScheduleStartTimeOfDayBlock,
    )
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

READ = ("roles/storage.objectViewer", "roles/storage.legacyBucketReader")
READ_AND_BE_TOLD = ("roles/storage.objectViewer", "roles/storage.legacyBucketOwner")
"""Being told of new objects means to change the bucket's notifications."""

WRITE = ("roles/storage.objectUser", "roles/storage.legacyBucketWriter")
SECONDS_AN_HOUR = 3600
HOURS_A_DAY = 24
CATCH_UP_HOUR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Where a copy comes from and where it goes. A path ends with a slash; without one it is the whole bucket."""

    source: Late
    sink: Late
    source_path: str | None = None
    sink_path: str | None = None


class TransferRights(Construct):
    """What Storage Transfer Service needs to copy from one bucket to another, and nowhere else."""

    def __init__(
        self, scope: Construct, id_: str, *, place: GcpPlace, source: Late, reading: Sequence[str], sink: Late
    ) -> None:
        super().__init__(scope, id_)
        copier = transfer_agent(self, "Agent", place=place)
        read = BucketGrant(self, "Read", bucket=source, member=copier, roles=reading)
        write = BucketGrant(self, "Write", bucket=sink, member=copier, roles=WRITE)
        self.ready: tuple[ITerraformDependable, ...] = (*read.ready, *write.ready)


class Notifications(Construct):
    """Lets the service hear of new objects: it makes a topic of its own in the project, and Cloud Storage speaks there.

    Both are rights on the whole project, which has no topic yet whose name could be given. There is one pair a stack.
    """

    def __init__(self, scope: Construct, id_: str, *, place: GcpPlace) -> None:
        super().__init__(scope, id_)
        listens = GoogleProjectIamMember(
            self,
            "Listens",
            project=place.project,
            role="roles/pubsub.editor",
            member=transfer_agent(self, "TransferAgent", place=place),
            depends_on=[place.service("pubsub")],
        )
        speaks = GoogleProjectIamMember(
            self,
            "Speaks",
            project=place.project,
            role="roles/pubsub.publisher",
            member=storage_agent(self, "StorageAgent", place=place),
        )
        self.ready = settled(self, "Known", after=[listens, speaks])

    @classmethod
    def of(cls, place: GcpPlace) -> Notifications:
        """Return the ones of the place, which are made on first use."""
        found = place.node.try_find_child("Notifications")
        return found if isinstance(found, Notifications) else cls(place, "Notifications", place=place)


class Replication(Construct):
    """Copies every new or changed object, most within minutes; and once a day what was there before, or was missed.

    Nothing is deleted from the copy: what is to be erased has to be erased in both.
    """

    def __init__(self, scope: Construct, id_: str, *, name: str, place: GcpPlace, source: Late, sink: Late) -> None:
        super().__init__(scope, id_)
        rights = TransferRights(self, "Rights", place=place, source=source, reading=READ_AND_BE_TOLD, sink=sink)
        GoogleStorageTransferJob(
            self,
            "Resource",
            project=place.project,
            description=f"{name}: each new object",
            replication_spec={
                "gcs_data_source": {"bucket_name": source},
                "gcs_data_sink": {"bucket_name": sink},
            },
            depends_on=[*rights.ready, Notifications.of(place).ready],
        )
        ScheduledCopy(
            self,
            "CatchUp",
            name=f"{name}: once a day what is missing",
            place=place,
            ends=Ends(source=source, sink=sink),
            hours=HOURS_A_DAY,
            hour=CATCH_UP_HOUR,
        )


class ScheduledCopy(Construct):
    """Copies what one bucket has and the other has not, every so many hours.

    With ``erase`` the sink also loses what the source has not, as far as its own lock allows.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        place: GcpPlace,
        ends: Ends,
        hours: int,
        hour: int,
        erase: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        rights = TransferRights(self, "Rights", place=place, source=ends.source, reading=READ, sink=ends.sink)
        GoogleStorageTransferJob(
            self,
            "Resource",
            project=place.project,
            description=name,
            transfer_spec={
                "gcs_data_source": {"bucket_name": ends.source, "path": ends.source_path},
                "gcs_data_sink": {"bucket_name": ends.sink, "path": ends.sink_path},
                "transfer_options": {"overwrite_when": "DIFFERENT", "delete_objects_unique_in_sink": erase},
            },
            schedule={**_daily(hour), "repeat_interval": f"{hours * SECONDS_AN_HOUR}s"},
            depends_on=rights.ready,
        )


def _daily(hour: int) -> GoogleStorageTransferJobScheduleBlock:
    # A first day that is past means tomorrow, and is the same at every synthesis.
    first: GoogleStorageTransferJobScheduleScheduleStartDateBlock = {"year": 2026, "month": 1, "day": 1}
    time: GoogleStorageTransferJobScheduleStartTimeOfDayBlock = {"hours": hour, "minutes": 0, "seconds": 0, "nanos": 0}
    return {"schedule_start_date": first, "start_time_of_day": time}
