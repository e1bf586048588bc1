"""Proposing, deploying and going back: each is checked first, then written with its audit record or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.policies.domain.reports import report_text
from aeterna.policies.domain.versions import Draft, Written
from aeterna.policies.errors import FileForbiddenError, UnchangedError, VersionConflictError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aeterna.policies.domain.scope import Scope
    from aeterna.policies.domain.versions import Author, Content, Proposal, Return
    from aeterna.policies.ports import Versions
    from aeterna.policies.usecases.checking import Checking


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The version that decides, 0 for none, and the files of it that the reader may see."""

    number: int
    digest: str | None
    files: Mapping[str, str]


class Administering:
    """What administrators do to the policies."""

    def __init__(self, versions: Versions, checking: Checking, now: Callable[[], datetime]) -> None:
        self._versions = versions
        self._checking = checking
        self._now = now

    async def propose(self, author: Author, proposal: Proposal) -> Written:
        """Keep the proposal as a version that can be deployed.

        Raise `FileForbiddenError`, `ProposalTooLargeError`, `ProposalRefusedError`, `AnalysisTimeoutError`,
        `UnchangedError`, `VersionConflictError` or `RequestConflictError`; then nothing is written.
        """
        request = proposal.digest()
        if (before := await self._repeated(author, proposal.key, request)) is not None:
            return before
        self._checking.names(proposal.files)
        base = await self._base(proposal.base)
        if (path := author.scope.trespassed(base, proposal.files)) is not None:
            raise FileForbiddenError(path, author.scope.tenant)
        files = author.scope.merged(base, proposal.files)
        if files == base:
            raise UnchangedError(proposal.base)
        bundle, report = await self._checking.check(files, author.scope)
        return await self._versions.write(
            Draft(
                author=author,
                files=files,
                digest=bundle.digest(),
                base=proposal.base,
                message=proposal.message,
                report=report_text(report),
                at=self._now(),
                key=proposal.key,
                request=request,
            )
        )

    async def deploy(self, author: Author, number: int, *, accept_undecided: bool = False) -> Written:
        """Make a version the one that decides, after checking it again: the analysis may know more than it did.

        Raise `VersionNotFoundError`, `VersionConflictError`, `ProposalRefusedError` or `AnalysisTimeoutError`, and
        `AcceptanceRequiredError` if the analysis left questions open and that is not accepted.
        """
        version = await self._versions.version(author.scope, number)
        if version.deployed_at is None:
            content = await self._versions.whole(number)
            await self._checking.check_to_deploy(content.files, author.scope, accept_undecided=accept_undecided)
        return await self._versions.deploy(number, by=author, at=self._now())

    async def go_back(self, author: Author, wish: Return) -> Written:
        """Deploy a new version with the files of an earlier one, as far as those are the author's to change.

        What was deployed before as it stands is not analysed again: going back must not wait. Raise what `propose` and
        `deploy` raise.
        """
        request = wish.digest()
        if (before := await self._repeated(author, wish.key, request)) is not None:
            return before
        await self._versions.version(author.scope, wish.to)
        earlier = await self._versions.whole(wish.to)
        base = await self._base(wish.base)
        files = author.scope.merged(base, earlier.files)
        if files == base:
            raise UnchangedError(wish.base)
        digest, report = await self._known_or_checked(earlier, files, author.scope, wish)
        return await self._versions.write(
            Draft(
                author=author,
                files=files,
                digest=digest,
                base=wish.base,
                message=wish.message,
                report=report,
                at=self._now(),
                key=wish.key,
                request=request,
                restores=wish.to,
            ),
            deploy=True,
        )

    async def deployed(self, scope: Scope) -> Deployed:
        """Return what decides now."""
        number = await self._versions.deployed_number()
        if number == 0:
            return Deployed(number=0, digest=None, files={})
        content = await self._versions.whole(number)
        return Deployed(number=number, digest=content.version.digest, files=scope.seen(content.files))

    async def _repeated(self, author: Author, key: str, request: bytes) -> Written | None:
        found = await self._versions.written_by(author.scope, key, request)
        return None if found is None else Written(version=found, created=False)

    async def _base(self, number: int) -> Mapping[str, str]:
        """Return the deployed files; raise `VersionConflictError` early, before a long analysis in vain."""
        deployed = await self._versions.deployed_number()
        if deployed != number:
            raise VersionConflictError(number, deployed)
        return (await self._versions.whole(number)).files if number else {}

    async def _known_or_checked(
        self, earlier: Content, files: Mapping[str, str], scope: Scope, wish: Return
    ) -> tuple[str, str]:
        if earlier.version.deployed_at is not None and files == earlier.files:
            return earlier.version.digest, earlier.report
        bundle, report = await self._checking.check_to_deploy(files, scope, accept_undecided=wish.accept_undecided)
        return bundle.digest(), report_text(report)
