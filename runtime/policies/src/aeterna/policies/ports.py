"""What the policy administration point needs from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policies.domain.findings import Difference, Report
    from aeterna.policies.domain.typed.formula import Environment, Example, Formula
    from aeterna.policies.domain.typed.policy import Policy


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


class PolicyReader(Protocol):
    """Makes trees of a bundle's policies. Kept by ``adapters.reading``."""

    def policies(self, bundle: Bundle) -> tuple[Policy, ...]:
        """Return every policy by file and then as written, or raise `BundleInvalidError`.

        A template is none: it decides nothing until it is linked, and a bundle has no links.
        """
        ...


class Solver(Protocol):
    """Finds requests that are valid by one schema. Kept by ``adapters.smt``.

    Valid means: of one of the schema's environments, conforming to the schema, and with every entity present that the
    policies look into. Entities that the bundle keeps are not taken into account: any others are possible too.
    """

    def environments(self) -> Sequence[Environment]:
        """Return every shape of request of the schema, sorted."""
        ...

    def find(self, env: Environment, wanted: Formula) -> Example | None:
        """Return a request of this shape that fulfils the formula, as Cedar itself confirmed, or None: there is none.

        Raise `UndecidedError` if neither could be shown: out of time, or beyond what the encoding covers.
        """
        ...


class Solvers(Protocol):
    """Makes a solver for a schema. Kept by ``adapters.smt``."""

    def of(self, schema: str) -> Solver:
        """Return the solver of Cedar's schema text, or raise `BundleInvalidError`."""
        ...
