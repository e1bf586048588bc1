"""Makes the bundle that sidecars begin with the first version, so that every later one is a change of something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.policies.domain.findings import Finding, Kind, Place, Report
from aeterna.policies.domain.reports import report_text
from aeterna.policies.domain.versions import Author, Draft, Proposal
from aeterna.policies.errors import VersionConflictError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.cedar.ports import Compiler
    from aeterna.policies.domain.scope import Scope
    from aeterna.policies.ports import Versions

_MESSAGE: Final = "What sidecars begin with"
_AUTHOR: Final = "seed"
_UNKNOWN: Final = "this decided before it was a version, and was not analysed: aeterna policy validate does that"

log = structlog.stdlib.get_logger(__name__)


class Seeding:
    """Deploys a first version where there is none.

    It is not analysed, because it is what decides already: a start must neither wait nor be refused for that.
    """

    def __init__(self, versions: Versions, compiler: Compiler, now: Callable[[], datetime], *, platform: Scope) -> None:
        self._versions = versions
        self._compiler = compiler
        self._now = now
        self._author = Author(subject=_AUTHOR, kind="Agent", scope=platform)

    async def seed(self, bundle: Bundle) -> None:
        """Deploy the bundle as version 1 unless something was deployed before; raise `BundleInvalidError` for none."""
        if await self._versions.deployed_number():
            return
        await asyncio.to_thread(self._compiler.compile, bundle)
        unknown = Finding(kind=Kind.UNDECIDED, policies=(), message=_UNKNOWN, place=Place(file=bundle.schema_file))
        report = Report(digest=bundle.digest(), findings=(unknown,), policies=0, pairs=0)
        files = bundle.files()
        asked = Proposal(files=files, base=0, message=_MESSAGE, key=_AUTHOR)
        draft = Draft(
            author=self._author,
            files=files,
            digest=bundle.digest(),
            base=0,
            message=_MESSAGE,
            report=report_text(report),
            at=self._now(),
            key=asked.key,
            request=asked.digest(),
        )
        try:
            written = await self._versions.write(draft, deploy=True)
        except VersionConflictError:
            # Another process deployed something in between.
            return
        log.info("policies.seeded", version=written.version.number, digest=written.version.digest)
