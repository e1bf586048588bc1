"""For tests: fakes of the sidecar's ports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aeterna.cedar.errors import BundleError, BundleUnreadableError
from aeterna.policy.domain.publication import Publication

if TYPE_CHECKING:
    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policy.domain.audit import Entry
    from aeterna.policy.errors import FeedUnreachableError
    from aeterna.service.clock import Clock


class FakeBundleSource:
    """Has whatever bundle, or trouble, a test puts into it."""

    def __init__(self, current: Bundle | BundleError) -> None:
        self.current = current

    def read(self) -> Bundle:
        """Return the current bundle, or raise the trouble."""
        if isinstance(self.current, BundleError):
            raise self.current
        return self.current


class FakePublications:
    """Keeps what is published in memory, where one test's keeper and another's workers find it."""

    def __init__(self, *, clock: Clock) -> None:
        """Take the time of the machine, as in ``Publication.confirmed_at``."""
        self._clock = clock
        self._current: Publication | None = None
        self._bundles: dict[str, Bundle] = {}
        self.fault: str | None = None
        self.unreadable: set[str] = set()
        """Digests whose content is to be found damaged."""

    def current(self) -> Publication | None:
        """Return what is in force."""
        return self._current

    def bundle(self, publication: Publication) -> Bundle:
        """Return its bundle, or raise `BundleUnreadableError`."""
        found = self._bundles.get(publication.digest)
        if found is None or publication.digest in self.unreadable:
            raise BundleUnreadableError(publication.digest, "is not what was published")
        return found

    def publish(self, bundle: Bundle) -> Publication:
        """Put a bundle in force, or confirm it."""
        digest, last = bundle.digest(), self._current
        epoch = 1 if last is None else last.epoch + (last.digest != digest)
        self._bundles[digest] = bundle
        self._current = Publication(epoch=epoch, digest=digest, confirmed_at=self._clock())
        return self._current

    def confirm(self) -> None:
        """Note that what is in force is still current."""
        if self._current is not None:
            self._current = replace(self._current, confirmed_at=self._clock())


class FakeDecisionLog:
    """Keeps what it is offered in memory, until a test says that it is full."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.entries: list[Entry] = []

    def offer(self, entry: Entry) -> bool:
        """Keep the entry, unless the test says that there is no room."""
        if not self.full:
            self.entries.append(entry)
        return not self.full

    def close(self) -> None:
        """Do nothing."""


class FakeResync:
    """Counts how often it was asked, and can say that no entities will come, or nothing at all."""

    def __init__(self, *, entities: bool = True) -> None:
        self.asked = 0
        self.trouble: FeedUnreachableError | None = None
        self._entities = entities

    def ask(self) -> bool:
        """Count and say whether entities will come, or raise the trouble."""
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return self._entities
