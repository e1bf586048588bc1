"""Following what is published: another bundle is compiled beside the one in use, and takes its place in one step."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import structlog

from aeterna.cedar.errors import BundleError, BundleUnreadableError
from aeterna.policy.domain.tally import REFUSED

if TYPE_CHECKING:
    from aeterna.cedar.ports import Compiler, Engine
    from aeterna.policy.domain.publication import Publication
    from aeterna.policy.ports import Publications
    from aeterna.policy.usecases.decide import Decider

Outcome: TypeAlias = Literal["nothing", "unchanged", "adopted", "refused"]

_INTERVAL: Final = 1.0

log = structlog.stdlib.get_logger(__name__)


class Follower:
    """Brings the decider up to what is published; reading and compiling happen off the event loop.

    A publication that does not become an engine leaves the last good one in use. That one is then not confirmed any
    more, so its age grows. What is wrong with a bundle stays wrong, so it is not compiled again; what could not be read
    is read again at each look, or a moment without a disk would have a worker serve what was revoked for ever.
    """

    def __init__(
        self, decider: Decider, publications: Publications, compiler: Compiler, *, interval: float = _INTERVAL
    ) -> None:
        """Take how many seconds to wait between looks when nobody says that there is something to see."""
        self._decider = decider
        self._publications = publications
        self._compiler = compiler
        self._interval = interval
        self._refused: tuple[int, str] | None = None
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look now; to be called on the event loop."""
        self._wake.set()

    def begin(self) -> None:
        """Take on what is published now, before there is an event loop; blocks."""
        published = self._publications.current()
        if published is not None:
            self._settle(published, self._compiled(published))

    async def run(self) -> None:
        """Look at intervals, and at once when woken, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._interval):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self.look()
            except Exception:
                # A loop that ended would leave a worker with old policies for ever; this way their age tells of it.
                log.exception("policy.look_failed")

    async def look(self) -> Outcome:
        """Adopt what is published if it is another one and a good one; say what happened."""
        published = await asyncio.to_thread(self._publications.current)
        if published is None:
            return "nothing"
        edition = self._decider.edition
        if edition is not None and (edition.epoch, edition.digest) == (published.epoch, published.digest):
            self._decider.confirm(published)
            return "unchanged"
        if self._refused is not None and self._refused != _unread(published) and self._refused[0] == published.epoch:
            return "unchanged"
        outcome = self._settle(published, await asyncio.to_thread(self._compiled, published))
        if outcome == "adopted" and edition is not None:
            # To let go of thousands of policies and answers at once would make somebody wait.
            await asyncio.to_thread(edition.retire)
        return outcome

    def _compiled(self, published: Publication) -> Engine | BundleError:
        try:
            return self._compiler.compile(self._publications.bundle(published))
        except BundleError as exc:
            return exc

    def _settle(self, published: Publication, compiled: Engine | BundleError) -> Outcome:
        if isinstance(compiled, BundleError):
            before, self._refused = self._refused, (published.epoch, compiled.code)
            if self._refused == before:
                return "unchanged"
            self._decider.tally.words[REFUSED] += 1
            edition = self._decider.edition
            log.warning(
                "policy.edition_refused",
                code=compiled.code,
                reason=str(compiled),
                epoch=published.epoch,
                kept=edition.digest if edition is not None else None,
            )
            return "refused"
        self._refused = None
        self._decider.adopt(compiled, published)
        log.info("policy.edition_adopted", digest=published.digest, epoch=published.epoch)
        return "adopted"


def _unread(published: Publication) -> tuple[int, str]:
    return published.epoch, BundleUnreadableError.code
