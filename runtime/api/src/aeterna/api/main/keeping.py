"""How the settings want tables to be kept, by the process that serves as by jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.graph.domain.upkeep import CollectionPolicy, CompactionPolicy, RetentionPolicy, UpkeepPolicy

if TYPE_CHECKING:
    from aeterna.api.settings import TableSettings


def upkeep_policy(settings: TableSettings) -> UpkeepPolicy:
    """Return how the settings want tables to be kept."""
    return UpkeepPolicy(
        compaction=CompactionPolicy(memory_bytes=settings.compaction_memory_bytes, forget_after=settings.history),
        retention=RetentionPolicy(
            keep_least=settings.keep_least, keep_age=settings.keep_age, keep_most=settings.keep_most
        ),
        collection=CollectionPolicy(grace=settings.garbage_grace),
        backup_every=settings.backup_every,
        backup_keep=settings.backup_keep,
    )
