"""One compaction: rewrite once, then swap in on whatever head there is, as often as other writers are first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.graph.domain.upkeep import Compacted, everything, selected
from aeterna.graph.errors import CommitConflictError, CommitUncertainError, CompactionOvertakenError, StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.graph.domain.snapshots import Snapshot
    from aeterna.graph.domain.upkeep import CompactionPolicy, Rewrite, Run, Selection
    from aeterna.graph.ports import CommitTrace, Compactor, Watch
    from aeterna.graph.usecases.engine import World


def compact(
    compactor: Compactor,
    policy: CompactionPolicy,
    world: World,
    *,
    trace: CommitTrace,
    watch: Watch,
    full: bool = False,
    dry_run: bool = False,
) -> Compacted:
    """Merge what the policy selects, or all of it with ``full``; a dry run says what would be read.

    Raise `CompactionOvertakenError` when something else rewrote the table meanwhile, and `StorageError`.
    """
    runs = compactor.runs()
    selection = everything(runs) if full else selected(runs, policy)
    if selection is None:
        return Compacted(reason=None, runs=len(runs))
    if dry_run:
        return _expected(runs, selection)
    rewrite = compactor.rewrite(
        selection.first,
        forget_before=world.clock() - policy.forget_after,
        memory_bytes=policy.memory_bytes,
        watch=watch,
    )
    trace.rows = rewrite.rows_after
    snapshot = _swapped(compactor, rewrite, policy.attempts, world, trace)
    trace.snapshot_id = snapshot.id
    return Compacted(
        reason=selection.reason,
        runs=len(runs),
        files_before=rewrite.files_before,
        files_after=rewrite.files_after,
        rows_before=rewrite.rows_before,
        rows_after=rewrite.rows_after,
        bytes_before=rewrite.bytes_before,
        bytes_after=rewrite.bytes_after,
        retries=trace.retries,
        snapshot_id=snapshot.id,
    )


def _expected(runs: Sequence[Run], selection: Selection) -> Compacted:
    merged = runs[selection.first :]
    return Compacted(
        reason=selection.reason,
        runs=len(runs),
        files_before=sum(run.files for run in merged),
        rows_before=sum(run.rows for run in merged),
        bytes_before=sum(run.bytes for run in merged),
    )


def _swapped(compactor: Compactor, rewrite: Rewrite, attempts: int, world: World, trace: CommitTrace) -> Snapshot:
    for attempt in range(attempts):
        trace.retries = attempt
        if attempt:
            world.step_aside()
        try:
            return compactor.swap(rewrite)
        except CommitUncertainError as uncertain:
            if (found := compactor.settled(rewrite)) is not None:
                return found
            # The files stay: the lost commit may still arrive, and then it names them. Else they are collected.
            raise uncertain.otherwise from uncertain
        except CommitConflictError:
            # A catalog's client that repeats a request by itself may be refused by its own first attempt.
            if (found := compactor.settled(rewrite)) is not None:
                return found
        except (CompactionOvertakenError, StorageError):
            compactor.abandon(rewrite)
            raise
    compactor.abandon(rewrite)
    raise CommitConflictError("commit the compaction", f"other writers won {attempts} times")
