"""Staging: pushes that have no end mark become one publication, once they have been quiet for a while."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.cedar.domain.bundle import ENTITIES_FILE
from aeterna.cedar.errors import BundleError
from aeterna.policy.domain.staged_set import StagedSet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from aeterna.policy.ports import BundleSource
    from aeterna.policy.usecases.publishing import Publisher
    from aeterna.service.clock import Clock

# How many quiet periods a set that keeps changing, or that is not known to be whole at first, is waited for.
_PATIENCE: Final = 10
# A whole push is one whose parts came within this many seconds of each other.
_ROUND: Final = 60.0

log = structlog.stdlib.get_logger(__name__)


class Settling:
    """Says when a set that is pushed in parts may be published; pure, in seconds of a steady clock.

    It is due when nothing changed for ``quiet``; when changes never cease, after ten times that, since somebody who
    pushes all the time must not keep a change from everybody. The first set of a process is waited for ten times as
    long unless policies and entities have both been seen: pushes begin with either, and half a set is none.
    """

    def __init__(self, quiet: float) -> None:
        self._quiet = quiet
        self._since: float | None = None
        self._last = 0.0
        self._first = True
        self._policies_seen = self._entities_seen = False
        self._listed_at: float | None = None
        self._entities_at: float | None = None
        self._entities_come = True

    def expect_all(self) -> None:
        """Forget what was seen: a whole push is expected."""
        self._listed_at = self._entities_at = None
        self._entities_come = True

    def expect_no_entities(self, now: float) -> None:
        """Note that a push without entities is a whole one, from whoever was asked for everything."""
        self._entities_come = False
        if self._whole(now):
            self._note(now, changed=True)

    def policy_seen(self, now: float, *, changed: bool) -> None:
        """Note a push of a policy or a schema."""
        self._policies_seen = True
        self._note(now, changed=changed)

    def entities_seen(self, now: float, *, changed: bool) -> None:
        """Note a push of all entities."""
        self._entities_seen, self._entities_at = True, now
        self._note(now, changed=changed or self._whole(now))

    def listed(self, now: float) -> None:
        """Note that somebody compared what is here with what he has; OPAL's client does so after a whole push only."""
        self._listed_at = now
        self._note(now, changed=self._whole(now))

    def due_in(self, now: float) -> float | None:
        """Return how many seconds to wait, 0 for none, or None when there is nothing to publish."""
        if self._since is None:
            return None
        longest = self._quiet * _PATIENCE
        if self._first and not (self._policies_seen and (self._entities_seen or not self._entities_come)):
            return max(0.0, min(self._last + longest, self._since + longest * _PATIENCE) - now)
        return max(0.0, min(self._last + self._quiet, self._since + longest) - now)

    def taken(self) -> None:
        """Note that the set was taken as it is."""
        self._since, self._first = None, False

    def _note(self, now: float, *, changed: bool) -> None:
        """Quiet is counted from every push, but only a change, or a whole push without one, needs to be looked at."""
        self._last = now
        if changed and self._since is None:
            self._since = now

    def _whole(self, now: float) -> bool:
        """Say whether a whole push has just come to its end, and expect the next."""
        listed = self._listed_at
        entities = self._entities_at if self._entities_come else listed
        if listed is None or entities is None or now - min(listed, entities) > _ROUND:
            return False
        self._listed_at = self._entities_at = None
        return True


class Staging:
    """The staged set and its publication; a feed that is pushed to, on one event loop."""

    def __init__(
        self, publisher: Publisher, *, schema: str | None, seed: BundleSource, quiet: timedelta, clock: Clock
    ) -> None:
        """Take the schema that counts while none is pushed, and a steady clock."""
        self._publisher = publisher
        self._seed = seed
        self._clock = clock
        self._staged = StagedSet(schema=schema)
        self._settling = Settling(quiet.total_seconds())
        self._changed = asyncio.Event()

    def begin(self) -> None:
        """Begin from what was published last, unless that is the seed: nobody ever pushed that."""
        current = self._publisher.publications.current()
        if current is None:
            return
        try:
            seed: str | None = self._seed.read().digest()
        except BundleError:
            seed = None
        try:
            if current.digest != seed:
                self._staged.restore(self._publisher.publications.bundle(current))
        except BundleError as exc:
            log.warning("policy.staged_set_lost", reason=str(exc))
        self._show()

    def put_policy(self, id_: str, text: str) -> None:
        """Stage a policy or a schema; raise `BundleInvalidError` for an id that can be neither's."""
        try:
            changed = self._staged.put(id_, text)
        except BundleError:
            self._note_policy(changed=True)
            raise
        self._note_policy(changed=changed)

    def spoil(self, id_: str, reason: str) -> None:
        """Note that what was pushed as this policy, or as the entities for ``entities.json``, could not be taken."""
        self._staged.spoil(id_, reason)
        self._note_policy(changed=True)

    def delete_policy(self, id_: str) -> bool:
        """Take a policy or a schema out of the set; say whether it was there."""
        existed = self._staged.delete(id_)
        self._note_policy(changed=existed)
        return existed

    def put_entities(self, lists: Mapping[str | None, str]) -> None:
        """Replace all entities by a list of each tenant, and of None for everybody's."""
        try:
            changed = self._staged.put_entities(lists)
        except BundleError as exc:
            self.spoil(ENTITIES_FILE, str(exc))
            raise
        self._settling.entities_seen(self._clock(), changed=changed)
        self._show()

    def policies(self) -> Mapping[str, str]:
        """Return what is staged, by id; OPAL's client asks for that when it has pushed everything."""
        self._settling.listed(self._clock())
        self._show()
        return self._staged.listed()

    @property
    def spoilt(self) -> Mapping[str, str]:
        """What was pushed and not taken, by id, and why."""
        return self._staged.spoilt

    def policy(self, id_: str) -> str | None:
        """Return a staged policy or schema."""
        return self._staged.listed().get(id_)

    def schemas(self) -> Mapping[str, str]:
        """Return the staged schemas by id."""
        return self._staged.schemas()

    def entities(self) -> Mapping[str, str]:
        """Return the staged lists of entities, by path."""
        return self._staged.entities()

    def expect_all(self) -> None:
        """Note that everything will be pushed again: only when all of it came is the set known to be current."""
        self._settling.expect_all()

    def expect_no_entities(self) -> None:
        """Note that whoever was asked for everything has no entities to push."""
        self._settling.expect_no_entities(self._clock())
        self._show()

    async def run(self) -> None:
        """Publish what has settled, until cancelled."""
        while True:
            wait = self._settling.due_in(self._clock())
            if wait == 0:
                await self._publish()
                continue
            self._changed.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def refresh(self) -> None:
        """Publish what is staged without waiting for quiet, if there is anything new."""
        if self._settling.due_in(self._clock()) is not None:
            await self._publish()

    async def _publish(self) -> None:
        self._settling.taken()
        try:
            bundle = self._staged.bundle()
        except BundleError as exc:
            self._publisher.refuse(exc)
        else:
            try:
                await self._publisher.offer(bundle)
            except Exception:
                # A loop that ended would keep old policies for ever; this way their age tells of it.
                log.exception("policy.look_failed")
        self._show()

    def _note_policy(self, *, changed: bool) -> None:
        self._settling.policy_seen(self._clock(), changed=changed)
        if changed:
            self._publisher.state.staged_changes += 1
        self._show()

    def _show(self) -> None:
        self._publisher.state.staged_files = len(self._staged)
        self._changed.set()
