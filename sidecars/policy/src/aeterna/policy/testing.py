"""For tests: fakes of the sidecar's ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.policy.domain.decision import Verdict
from aeterna.policy.errors import BundleError, BundleInvalidError

if TYPE_CHECKING:
    from aeterna.policy.domain.bundle import Bundle
    from aeterna.policy.domain.question import Question


class FakeEngine:
    """Allows the actions that it was given, and counts what it was asked."""

    def __init__(self, *allowed: str) -> None:
        self._allowed = frozenset(allowed)
        self.asked = 0

    def evaluate(self, question: Question) -> Verdict:
        """Return an allow for a known action, else a deny."""
        self.asked += 1
        return Verdict(allowed=question.action in self._allowed, policies=("fake",))


class FakeCompiler:
    """Makes engines that allow exactly the actions a bundle's files are named after; an empty file is invalid."""

    def compile(self, bundle: Bundle) -> FakeEngine:
        """Return the engine, or raise `BundleInvalidError`."""
        for name, text in bundle.policies.items():
            if not text:
                raise BundleInvalidError(name, "is empty")
        return FakeEngine(*(name.removesuffix(".cedar") for name in bundle.policies))


class FakeBundleSource:
    """Has whatever bundle, or trouble, a test puts into it."""

    def __init__(self, current: Bundle | BundleError) -> None:
        self.current = current

    def read(self) -> Bundle:
        """Return the current bundle, or raise the trouble."""
        if isinstance(self.current, BundleError):
            raise self.current
        return self.current
