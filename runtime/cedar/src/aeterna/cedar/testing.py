"""For tests: fakes of Cedar's ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.cedar.domain.verdict import Verdict
from aeterna.cedar.errors import BundleInvalidError

if TYPE_CHECKING:
    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.cedar.domain.request import Request, Uid


class FakeEngine:
    """Allows the actions that it was given, and counts what it was asked."""

    def __init__(self, *allowed: str) -> None:
        self._allowed = frozenset(allowed)
        self.asked = 0
        self.retired = False

    def evaluate(self, request: Request) -> Verdict:
        """Return an allow for a known action, else a deny."""
        self.asked += 1
        return Verdict(allowed=request.action.id in self._allowed, policies=("fake",))

    def tenant_of(self, principal: Uid) -> str | None:
        """Return None: it keeps no entities."""
        del principal

    def retire(self) -> None:
        """Note that it was retired."""
        self.retired = True


class FakeCompiler:
    """Makes engines that allow exactly the actions a bundle's files are named after; an empty file is invalid."""

    def compile(self, bundle: Bundle) -> FakeEngine:
        """Return the engine, or raise `BundleInvalidError`."""
        for name, text in bundle.policies.items():
            if not text:
                raise BundleInvalidError(name, "is empty")
        return FakeEngine(*(name.removesuffix(".cedar") for name in bundle.policies))
