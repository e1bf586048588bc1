"""The graph's upkeep as blocking code sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client.errors import ClientError
from aeterna.client.upkeep_stream import UpkeepStream
from aeterna.client.upkeep_values import UpkeepReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.client.sync_runner import SyncRunner
    from aeterna.client.upkeep_values import UpkeepProgress, UpkeepTask


class SyncUpkeep:
    """The part of the graph that `SyncGraph` has for its upkeep."""

    _runner: SyncRunner

    def maintain(
        self,
        task: UpkeepTask = "all",
        *,
        full: bool = False,
        dry_run: bool = False,
        watch: Callable[[UpkeepProgress], None] | None = None,
    ) -> UpkeepReport:
        """Back up, compact, expire or collect now; the content of the graph stays the same.

        With ``full`` everything is merged, whether or not it is worth it yet; with ``dry_run`` nothing is changed.
        Raise `UpkeepBusyError` while another round runs.
        """
        for event in self._runner.follow(UpkeepStream(task, full=full, dry_run=dry_run)):
            if isinstance(event, UpkeepReport):
                return event
            if watch is not None:
                watch(event)
        raise ClientError("the stream ended before its report; the round goes on")
