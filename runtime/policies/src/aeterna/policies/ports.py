"""What the policy administration point needs from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.cedar.domain.request import Request
    from aeterna.policies.domain.audit import Cut, Link, Verification
    from aeterna.policies.domain.checked import Checked, Effects
    from aeterna.policies.domain.findings import Difference, Report
    from aeterna.policies.domain.scope import Scope
    from aeterna.policies.domain.typed.formula import Environment, Example, Formula
    from aeterna.policies.domain.typed.policy import Policy
    from aeterna.policies.domain.versions import Author, Content, Draft, Version, Written


class Analyser(Protocol):
    """Looks for conflicts in a bundle before it is deployed. Kept by ``adapters.analyser``; faked in ``testing``."""

    def analyse(self, bundle: Bundle, *, progress: Callable[[int, int], None] | None = None) -> Report:
        """Return every finding; what cannot be decided is a finding too. Never raises for what a bundle says.

        ``progress`` is told how many of how many comparisons are done. May take long, so call it off the event loop.
        """
        ...

    def compare(self, before: Bundle, after: Bundle) -> tuple[Difference, ...]:
        """Return who gains and who loses, or raise `BundleInvalidError` when either is no bundle."""
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


class Checker(Protocol):
    """Says what is wrong with a bundle before anybody reasons about it. Kept by ``adapters.checking``."""

    def check(self, bundle: Bundle) -> Checked:
        """Return the policies with everything that Cedar refuses of the bundle; never raises for what it says."""
        ...


class Witness(Protocol):
    """Asks Cedar what a request shows. Kept by ``adapters.witness``."""

    def effects(self, request: Request, kept: Sequence[Mapping[str, object]] = ()) -> Effects | None:
        """Return which policies take effect on the request, or None if it is not valid by the schema.

        ``kept`` are entities in Cedar's JSON that are there beside those that the request brings.
        """
        ...


class Witnesses(Protocol):
    """Makes a witness for a schema and policies. Kept by ``adapters.witness``."""

    def of(self, schema: str, policies: Sequence[Policy]) -> Witness:
        """Return the witness of policies that hold up against the schema."""
        ...


class Analysis(Protocol):
    """An `Analyser` that is asked without holding anybody up, and that is ended when it takes too long.

    Kept by ``adapters.analysis_process``; faked in ``testing``.
    """

    async def analyse(self, bundle: Bundle) -> Report:
        """Return every finding, or raise `AnalysisTimeoutError`."""
        ...

    async def compare(self, before: Bundle, after: Bundle) -> tuple[Difference, ...]:
        """Return who gains and who loses, or raise `AnalysisTimeoutError`, or `BundleInvalidError` for no bundle."""
        ...


class Versions(Protocol):
    """Every version of the policies, which only grow in number. Kept by ``adapters.postgres``; faked in ``testing``.

    Any call may raise `StoreUnavailableError` or `StoreBusyError`: then nothing is half-written. A version, its
    deployment and the audit's records of both are written together or not at all.
    """

    async def written_by(self, scope: Scope, key: str, request: bytes) -> Version | None:
        """Return the version that the request of this key made, if there is one.

        Raise `RequestConflictError` when the key belongs to another request.
        """
        ...

    async def write(self, draft: Draft, *, deploy: bool = False) -> Written:
        """Give the draft the next number and keep it, and deploy it in the same breath where that is asked.

        The same key with the same request returns what it made the first time. Raise `RequestConflictError`, or
        `VersionConflictError` when another version is deployed than the draft's base.
        """
        ...

    async def deploy(self, number: int, *, by: Author, at: datetime) -> Written:
        """Make the version the deployed one if what is deployed is what it was proposed on.

        A version that is deployed already is returned. Raise `VersionNotFoundError` for one that the author may not
        see, and `VersionConflictError` when another was deployed since it was proposed.
        """
        ...

    async def version(self, scope: Scope, number: int) -> Version:
        """Return the version, or raise `VersionNotFoundError`: other tenants' versions are not seen."""
        ...

    async def content(self, scope: Scope, number: int) -> Content:
        """Return the version with the files that may be seen, or raise `VersionNotFoundError`."""
        ...

    async def versions(self, scope: Scope, *, before: int | None, limit: int) -> tuple[Version, ...]:
        """Return at most ``limit`` versions that may be seen, newest first, of numbers below ``before``."""
        ...

    async def deployed_number(self) -> int:
        """Return the number of the version that decides, 0 for none."""
        ...

    async def whole(self, number: int) -> Content:
        """Return a version with every tenant's files, to be checked or published and never shown.

        Raise `VersionNotFoundError` when there is none.
        """
        ...


class Audit(Protocol):
    """Who changed what and when. Kept by ``adapters.postgres``; faked in ``testing``.

    Nothing here writes what was done: that is written with the doing. Any call may raise `StoreUnavailableError` or
    `StoreBusyError`.
    """

    async def page(self, scope: Scope, *, before: int | None, limit: int) -> tuple[Link, ...]:
        """Return at most ``limit`` records that may be seen, newest first, of numbers below ``before``."""
        ...

    async def verify(self) -> Verification:
        """Follow the whole chain and say whether it holds, and if not, from which record on."""
        ...

    async def cut(self, before: datetime, *, at: datetime) -> Cut | None:
        """Remove the records of before that moment, and chain a record of it behind the last one; None for none.

        Records younger than 90 days are never removed.
        """
        ...


class Signer(Protocol):
    """Signs bundles. Kept by ``adapters.key_file``; faked in ``testing``. May read a file, so call it in a thread."""

    def key_id(self) -> str:
        """Return what names the key that signs now, or raise `SigningKeyMissingError`."""
        ...

    def sign(self, body: bytes) -> str:
        """Return the header that proves the body, or raise `SigningKeyMissingError`."""
        ...
