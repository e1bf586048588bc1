"""What the policy administration point needs from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policies.domain.findings import Difference, Report


class Analyser(Protocol):
    """Looks for conflicts in a bundle before it is deployed. Kept by ``adapters.smt``; faked in ``testing``."""

    def analyse(self, bundle: Bundle, *, progress: Callable[[int, int], None] | None = None) -> Report:
        """Return every finding; what cannot be decided is a finding too. Never raises for what a bundle says.

        ``progress`` is told how many of how many comparisons are done. May take long, so call it off the event loop.
        """
        ...

    def compare(self, before: Bundle, after: Bundle) -> tuple[Difference, ...]:
        """Return who gains and who loses, or raise `BundleInvalidError` when either is no bundle."""
        ...
