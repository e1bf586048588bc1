"""Names that keep a snapshot readable: tags, and those of them that are backups on a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from aeterna.graph.domain.identifiers import TAG, TagName
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import InvalidQueryError

MAX_TAGS: Final = 1_000  # every tag is in every version of the table's metadata
_BACKUP: Final = "backup-"
_MAIN: Final = "main"  # Iceberg's own name for the newest state
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A name for a snapshot, which stays readable for as long as the tag is there.

    After ``expires_at`` the next maintenance removes the tag; without it, only somebody who asks for that does.
    """

    name: TagName
    snapshot: Snapshot
    expires_at: datetime | None = None

    @property
    def is_backup(self) -> bool:
        """Whether the schedule made it."""
        return self.name.startswith(_BACKUP)


def tag_name(text: str, parameter: str = "tag") -> TagName:
    """Return the text as the name of a tag; raise `InvalidQueryError` that names the parameter."""
    if TAG.fullmatch(text) is None:
        raise InvalidQueryError(parameter, f"must match {TAG.pattern}")
    if text == _MAIN:
        raise InvalidQueryError(parameter, "must not be main, which is the newest state itself")
    return TagName(text)


def backup_name(now: datetime, interval: timedelta) -> TagName:
    """Return what the backup of this interval is called.

    Intervals are counted from 1970, so every process gives the same name, and only one of them can make it.
    """
    begun = _START + (now - _START) // interval * interval
    return TagName(f"{_BACKUP}{begun:%Y%m%dT%H%M%SZ}")
