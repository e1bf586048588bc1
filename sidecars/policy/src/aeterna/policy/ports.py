"""What deciding needs from outside: an engine that evaluates, a compiler that makes one, and a source of bundles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aeterna.policy.domain.bundle import Bundle
    from aeterna.policy.domain.decision import Verdict
    from aeterna.policy.domain.question import Question


class Engine(Protocol):
    """Evaluates questions by one edition of the policies. Kept by ``adapters.cedar``; faked in ``testing``."""

    def evaluate(self, question: Question) -> Verdict:
        """Return the verdict; whatever is wrong with the question is a deny that names the errors, never a raise."""
        ...


class Compiler(Protocol):
    """Makes an engine of a bundle. Kept by ``adapters.cedar``; faked in ``testing``."""

    def compile(self, bundle: Bundle) -> Engine:
        """Return the engine, or raise `BundleInvalidError`; may take long, so call it off the event loop."""
        ...


class BundleSource(Protocol):
    """Where the current bundle is. Kept by ``adapters.directory``; faked in ``testing``."""

    def read(self) -> Bundle:
        """Return the current bundle, or raise `BundleUnreadableError`; may block."""
        ...
