"""Checks a bundle before it may be a version or be deployed: its size and names, Cedar's validator, the analysis."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.bundle import ENTITIES_FILE, POLICY_SUFFIX, SCHEMA_SUFFIX, Bundle, tenant_of
from aeterna.cedar.domain.paths import checked_path
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.domain.findings import Finding, Kind, Place, Report
from aeterna.policies.domain.reports import finding_json, one_line, refuses, refusing, shown, undecided
from aeterna.policies.errors import AcceptanceRequiredError, ProposalRefusedError, ProposalTooLargeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.cedar.ports import Compiler
    from aeterna.policies.domain.scope import Scope
    from aeterna.policies.ports import Analysis

_SHOWN_FINDINGS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much a bundle may be: files, and bytes of all of them."""

    files: int
    bytes: int


class Checking:
    """Says whether files are a bundle that may decide."""

    def __init__(self, compiler: Compiler, analysis: Analysis, sizes: Sizes) -> None:
        self._compiler = compiler
        self._analysis = analysis
        self._sizes = sizes

    def names(self, files: Mapping[str, str]) -> None:
        """Return when every name is one of a bundle's and there is not too much.

        Raise `ProposalTooLargeError`, or `ProposalRefusedError` for a name.
        """
        if len(files) > self._sizes.files:
            raise ProposalTooLargeError("files", len(files), self._sizes.files)
        try:
            size = sum(len(_encoded(path, text)) for path, text in files.items())
            if size > self._sizes.bytes:
                raise ProposalTooLargeError("bytes", size, self._sizes.bytes)
            for path in files:
                _belonging(checked_path(path))
                tenant_of(path)
        except BundleInvalidError as exc:
            raise _refused(exc) from exc

    async def check(self, files: Mapping[str, str], scope: Scope) -> tuple[Bundle, Report]:
        """Return the bundle and what was found in it, as far as the scope may see it.

        Raise `ProposalRefusedError` with every finding when it is invalid or a permit opposes a forbid unasked, and
        `AnalysisTimeoutError` when that could not be known in time.
        """
        try:
            bundle = Bundle.of(files)
            bundle.tenants()
            await asyncio.to_thread(self._compiler.compile, bundle)
        except BundleInvalidError as exc:
            raise _refused(exc) from exc
        report = shown(await self._analysis.analyse(bundle), scope)
        if report.refused:
            findings = refusing(report)
            raise ProposalRefusedError(
                [finding_json(found) for found in findings[:_SHOWN_FINDINGS]],
                "; ".join(one_line(found) for found in findings[:3] if refuses(found)),
            )
        return bundle, report

    async def check_to_deploy(
        self, files: Mapping[str, str], scope: Scope, *, accept_undecided: bool
    ) -> tuple[Bundle, Report]:
        """Do as `check`, and raise `AcceptanceRequiredError` if a question was left open and that is not accepted."""
        bundle, report = await self.check(files, scope)
        if report.undecided and not accept_undecided:
            raise AcceptanceRequiredError([finding_json(found) for found in undecided(report)[:_SHOWN_FINDINGS]])
        return bundle, report


def _encoded(path: str, text: str) -> bytes:
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise BundleInvalidError(path, "holds half of a character, which is no text") from None
    if b"\0" in encoded:
        raise BundleInvalidError(path, "holds U+0000, which is no text of Cedar's")
    return encoded


def _belonging(path: str) -> None:
    """Refuse a file that would be kept and never used."""
    if not path.endswith((POLICY_SUFFIX, SCHEMA_SUFFIX)) and path.rpartition("/")[2] != ENTITIES_FILE:
        raise BundleInvalidError(path, f"is neither *{POLICY_SUFFIX}, nor *{SCHEMA_SUFFIX}, nor {ENTITIES_FILE}")


def _refused(error: BundleInvalidError) -> ProposalRefusedError:
    found = Finding(
        kind=Kind.INVALID, policies=(), message=error.reason, place=Place(file=error.where, line=error.line)
    )
    return ProposalRefusedError([finding_json(found)], one_line(found))
