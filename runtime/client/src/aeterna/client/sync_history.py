"""The graph's history as blocking code sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from aeterna.client import history_operations as operations
from aeterna.client.change_stream import ChangeStream

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import timedelta

    from aeterna.client.graph_operations import AsOf
    from aeterna.client.history_values import Difference, Restored, SessionChanges, Tag
    from aeterna.client.sync_runner import SyncRunner


class SyncHistory:
    """The part of the graph that `SyncGraph` has for its history."""

    _runner: SyncRunner
    _latest: int | None

    def tags(self) -> tuple[Tag, ...]:
        """Read every tag, backups included."""
        return self._runner.run(operations.tags())

    def tag(self, name: str, *, as_of: AsOf | None = None, keep: timedelta | None = None) -> Tag:
        """Name a moment, so that it stays readable: now unless said otherwise, for ever unless said otherwise.

        A tag never moves. Without ``as_of`` a tag of this name is returned whatever it names; with it, one that names
        another snapshot is `TagConflictError`.
        """
        seconds = None if keep is None else round(keep.total_seconds())
        return self._runner.run(operations.tag(name, as_of=as_of, keep_seconds=seconds))

    def untag(self, name: str) -> None:
        """Forget a tag; raise `TagNotFoundError`."""
        self._runner.run(operations.untag(name))

    def diff(
        self,
        start: AsOf,
        end: AsOf | None = None,
        *,
        kinds: tuple[str, ...] = (),
        types: tuple[str, ...] = (),
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Difference:
        """Read one page of what differs between two moments; the second is now unless said otherwise."""
        return self._runner.run(
            operations.diff(start, end, kinds=kinds, types=types, limit=limit, cursor=cursor, fresh_as=self._latest)
        )

    def restore(self, to: AsOf, *, session_id: str | None = None, dry_run: bool = False) -> Restored:
        """Bring the graph back to a moment, as a new session: what was committed since stays in the history.

        Without an id one is drawn, which makes this call safe to retry. What was erased meanwhile does not come back.
        """
        restored = self._runner.run(
            operations.restore(to, session_id=session_id or f"restore-{uuid4()}", dry_run=dry_run)
        )
        if restored.seq is not None:
            self._latest = max(restored.seq, self._latest or 0)
        return restored

    def changes(self, *, after: int | None = None) -> Generator[SessionChanges]:
        """Give out what every session behind ``after`` changed, then each new one, without end; from now on without it.

        A connection that breaks is made again and resumes where it was. `ChangesExpiredError` is raised when the
        position is no longer kept: read the graph, and follow it from the seq of that answer.
        """
        wire = self._runner.wire
        return self._runner.follow(ChangeStream(after=after, policy=wire.policy, random=wire.random))
