"""For tests: fakes of the sidecar's ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.cedar.errors import BundleError

if TYPE_CHECKING:
    from aeterna.cedar.domain.bundle import Bundle


class FakeBundleSource:
    """Has whatever bundle, or trouble, a test puts into it."""

    def __init__(self, current: Bundle | BundleError) -> None:
        self.current = current

    def read(self) -> Bundle:
        """Return the current bundle, or raise the trouble."""
        if isinstance(self.current, BundleError):
            raise self.current
        return self.current
