"""Publishing: a bundle that a feed brings is checked off the event loop, and put in force or refused as a whole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from aeterna.cedar.errors import BundleError
from aeterna.policy.domain.feeding import FeedState, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.cedar.ports import Compiler
    from aeterna.contracts.errors import AeternaError
    from aeterna.policy.domain.feeding import Outcome
    from aeterna.policy.ports import Publications
    from aeterna.service.clock import Clock

log = structlog.stdlib.get_logger(__name__)


class Publisher:
    """Takes candidates, one at a time.

    A bundle that was refused is not compiled again while the same one keeps coming, and confirms nothing: what is in
    force is then not what the feed has, so its age grows.
    """

    def __init__(
        self,
        publications: Publications,
        compiler: Compiler,
        *,
        clock: Clock,
        nudge: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the time of the machine; ``nudge`` is called on the event loop after every publication."""
        self._publications = publications
        self._compiler = compiler
        self._clock = clock
        self._nudge = nudge
        self._lock = asyncio.Lock()
        self._refused: tuple[str, Refusal] | None = None
        self.state = FeedState()

    @property
    def publications(self) -> Publications:
        """Where it publishes."""
        return self._publications

    async def offer(self, bundle: Bundle) -> Outcome:
        """Put the bundle in force if it is another one and a good one; say what happened."""
        async with self._lock:
            refused = self._refused
            outcome = await asyncio.to_thread(self._take, bundle)
            if outcome != "refused" or self._refused is not refused:
                self._log(outcome)
        self._note(outcome)
        return outcome

    def offer_now(self, bundle: Bundle) -> Outcome:
        """Do the same at once, before there is an event loop."""
        outcome = self._take(bundle)
        self._log(outcome)
        self._note(outcome, nudge=False)
        return outcome

    def refuse(self, error: AeternaError) -> Outcome:
        """Note that the feed brought something that cannot even be looked at."""
        return self._stopped(error, "refused")

    def unreachable(self, error: AeternaError) -> Outcome:
        """Note that the feed brought nothing."""
        return self._stopped(error, "unreachable")

    def _stopped(self, error: AeternaError, outcome: Outcome) -> Outcome:
        before = self.state.refusal
        self.state.refusal = Refusal(code=error.code, reason=str(error), at=self._clock())
        if before is None or before.reason != self.state.refusal.reason:
            self._log(outcome)
        self._note(outcome)
        return outcome

    def _take(self, bundle: Bundle) -> Outcome:
        digest = bundle.digest()
        current = self._publications.current()
        if self._refused is not None and self._refused[0] == digest:
            self.state.refusal = self._refused[1]
            return "refused"
        if current is None or current.digest != digest:
            try:
                self._compiler.compile(bundle)
            except BundleError as exc:
                self.state.refusal = Refusal(code=exc.code, reason=str(exc), at=self._clock())
                self._refused = (digest, self.state.refusal)
                return "refused"
        # A bundle that is in force already is only confirmed by this.
        before = self._publications.publish(bundle)
        self._refused = None
        return "confirmed" if current is not None and current.epoch == before.epoch else "published"

    def _note(self, outcome: Outcome, *, nudge: bool = True) -> None:
        state = self.state
        state.outcomes[outcome] += 1
        if outcome in {"published", "confirmed"}:
            state.refusal, state.succeeded_at = None, self._clock()
            if nudge:
                self._nudge()

    def _log(self, outcome: Outcome) -> None:
        refusal, current = self.state.refusal, self._publications.current()
        kept = current.digest if current is not None else None
        if outcome == "published" and current is not None:
            log.info("policy.bundle_published", digest=current.digest, epoch=current.epoch)
        elif outcome in {"refused", "unreachable"} and refusal is not None:
            event = "policy.bundle_refused" if outcome == "refused" else "policy.feed_unreachable"
            log.warning(event, code=refusal.code, reason=refusal.reason, kept=kept)
