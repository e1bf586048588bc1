"""Tags of a graph: made, listed and deleted by hand, and made on a schedule as backups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from aeterna.graph.domain.tags import MAX_TAGS, Tag, backup_name
from aeterna.graph.errors import (
    CommitConflictError,
    CommitUncertainError,
    InvalidQueryError,
    TagConflictError,
    TagNotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from aeterna.graph.domain.identifiers import TagName, TenantId
    from aeterna.graph.domain.snapshots import AsOf
    from aeterna.graph.usecases.engine import Engine
    from aeterna.graph.usecases.moments import Moments

T = TypeVar("T")

_ATTEMPTS: Final = 20
_PAUSE_SECONDS: Final = 0.05


class Tags:
    """The tags of one tenant. Every call looks at the catalog, so all processes agree."""

    def __init__(self, tenant: TenantId, engine: Engine, moments: Moments) -> None:
        self._tenant = tenant
        self._stores = engine.stores
        self._world = engine.world
        self._moments = moments

    def all(self) -> tuple[Tag, ...]:
        """Return every tag, in order of their names."""
        return self._stores.refs(self._tenant).tags()

    def create(
        self, name: TagName, *, as_of: AsOf | None = None, keep: timedelta | None = None, at_least: int = 0
    ) -> tuple[Tag, bool]:
        """Name a moment, the present one unless said otherwise; tell whether the tag is new.

        A tag never moves. Without ``as_of`` a tag of this name is returned whatever it names, so a call that is made
        twice makes one tag; with ``as_of`` one that names another moment is `TagConflictError`.
        """
        tags = self.all()
        existing = next((tag for tag in tags if tag.name == name), None)
        if existing is not None:
            # By seq: maintenance makes further snapshots of the same moment.
            if as_of is not None and existing.snapshot.last_seq != self._moments.resolved(as_of, at_least).last_seq:
                raise TagConflictError(name, existing.snapshot.id)
            return existing, False
        snapshot = self._moments.newest(at_least) if as_of is None else self._moments.ending_at(as_of, at_least)
        if len(tags) >= MAX_TAGS:
            raise InvalidQueryError("tag", f"the tenant has {len(tags)} tags, at most {MAX_TAGS}: delete some first")
        expires_at = None if keep is None else self._world.clock() + keep
        refs = self._stores.refs(self._tenant)
        return self._tried(lambda: refs.create(name, snapshot.id, expires_at=expires_at)), True

    def delete(self, name: TagName) -> None:
        """Forget the name; raise `TagNotFoundError`."""
        refs = self._stores.refs(self._tenant)
        self._tried(lambda: refs.delete(name))

    def back_up(
        self, interval: timedelta, keep: timedelta, *, dry_run: bool = False
    ) -> tuple[tuple[Tag, ...], tuple[Tag, ...]]:
        """Make this interval's backup unless it is there, drop the backups whose time is over; return both.

        Any number of processes may do so at once: they give the backup the same name, and one of them makes it.
        """
        now = self._world.clock()
        tags = self.all()
        name = backup_name(now, interval)
        # A look at the catalog: a backup of what this process last saw would leave out what others committed.
        head = self._stores.open(self._tenant).head()
        due = head is not None and all(tag.name != name for tag in tags)
        made = (Tag(name=name, snapshot=head, expires_at=now + keep),) if due and head is not None else ()
        over = tuple(tag for tag in tags if tag.is_backup and tag.expires_at is not None and tag.expires_at <= now)
        if dry_run:
            return made, over
        return tuple(tag for tag in made if self._made(tag)), tuple(tag for tag in over if self._dropped(tag))

    def _made(self, tag: Tag) -> bool:
        refs = self._stores.refs(self._tenant)
        try:
            self._tried(lambda: refs.create(tag.name, tag.snapshot.id, expires_at=tag.expires_at))
        except TagConflictError:
            return False  # another process was first
        return True

    def _dropped(self, tag: Tag) -> bool:
        try:
            self.delete(tag.name)
        except TagNotFoundError:
            return False
        return True

    def _tried(self, change: Callable[[], T]) -> T:
        """Try again when another commit was first, or an answer was lost: the next look says what is there."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return change()
            except (CommitConflictError, CommitUncertainError):
                self._world.pause(_PAUSE_SECONDS * (1 + self._world.chance()))
        return change()
