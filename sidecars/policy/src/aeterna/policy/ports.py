"""What the sidecar needs from outside: where bundles come from, and where the published one is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policy.domain.audit import Entry
    from aeterna.policy.domain.publication import Publication


class BundleSource(Protocol):
    """Where the current bundle is. Kept by ``adapters.directory`` of Cedar; faked in ``testing``."""

    def read(self) -> Bundle:
        """Return the current bundle, or raise `BundleUnreadableError`; may block."""
        ...


class Publications(Protocol):
    """The bundle in force, kept across restarts and shared by the worker processes; faked in ``testing``.

    One process publishes; any number look. All methods may block on the disk. ``fault`` says why what is in force is
    kept in memory alone, in the process that publishes, and is None while it is kept as it should be.
    """

    fault: str | None

    def current(self) -> Publication | None:
        """Return what is in force, or None when nothing ever was; cheap enough to ask every second."""
        ...

    def bundle(self, publication: Publication) -> Bundle:
        """Return its bundle, or raise `BundleUnreadableError` when what is kept is not what was published."""
        ...

    def publish(self, bundle: Bundle) -> Publication:
        """Put a checked bundle in force, durably and at once; a bundle that is in force already is confirmed."""
        ...

    def confirm(self) -> None:
        """Note that what is in force is still what its source has."""
        ...


class Resync(Protocol):
    """Whoever pushes, asked to push everything again. Kept by ``adapters.opal_client``; faked in ``testing``."""

    def ask(self) -> bool:
        """Have everything pushed again soon, and say whether entities will come too; may block.

        Raise `FeedUnreachableError` when nothing will come.
        """
        ...


class DecisionLog(Protocol):
    """Where decisions are written down. Kept by ``adapters.decision_log``; faked in ``testing``."""

    def offer(self, entry: Entry) -> bool:
        """Take an entry to be written soon, or return False when there are too many already; never blocks."""
        ...

    def close(self) -> None:
        """Write what was taken; blocks for a moment."""
        ...
