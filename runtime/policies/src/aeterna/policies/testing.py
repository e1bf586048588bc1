"""For tests: fakes of the administration's ports."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.request import Request
from aeterna.policies.domain.audit import Act, Cut, Event, Head, Link, Verifier, cut_of
from aeterna.policies.domain.findings import Difference, Finding, Kind, Place, Report
from aeterna.policies.domain.typed.formula import (
    AllOf,
    AnyOf,
    Environment,
    Example,
    Fails,
    Formula,
    Not,
    TakesEffect,
)
from aeterna.policies.domain.versions import Content, State, Version, Written
from aeterna.policies.errors import (
    RequestConflictError,
    SigningKeyMissingError,
    VersionConflictError,
    VersionNotFoundError,
)
from aeterna.service.hash_chain import link

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policies.domain.audit import Verification
    from aeterna.policies.domain.scope import Scope
    from aeterna.policies.domain.versions import Author, Draft


_SAID: Final = {Kind.OPPOSING: "a opposes b", Kind.UNDECIDED: "a and b may oppose each other"}


class FakeAnalyser:
    """Finds that a file is ``opposing`` or ``undecided`` when its text holds the word; two bundles never differ."""

    def analyse(self, bundle: Bundle, *, progress: Callable[[int, int], None] | None = None) -> Report:
        """Return a finding for each such file."""
        del progress
        findings = tuple(
            Finding(kind=kind, policies=("a", "b"), message=_SAID[kind], place=Place(file=file, line=1))
            for file, text in sorted(bundle.policies.items())
            for kind in _SAID
            if kind.value in text
        )
        return Report(digest=bundle.digest(), findings=findings, policies=len(bundle.policies), pairs=0)

    def compare(self, before: Bundle, after: Bundle) -> tuple[Difference, ...]:
        """Return nothing."""
        del before, after
        return ()


class FakeAnalysis:
    """Asks an analyser at once, and counts how often."""

    def __init__(self, analyser: FakeAnalyser | None = None) -> None:
        self._analyser = analyser or FakeAnalyser()
        self.asked = 0

    async def analyse(self, bundle: Bundle) -> Report:
        """Return what the analyser finds."""
        self.asked += 1
        return self._analyser.analyse(bundle)

    async def compare(self, before: Bundle, after: Bundle) -> tuple[Difference, ...]:
        """Return what the analyser says."""
        return self._analyser.compare(before, after)


class FakeSigner:
    """Signs with a hash that proves nothing; ``key`` can be replaced, as a rotated key is, and be missing."""

    def __init__(self, key: str | None = "fake") -> None:
        self.key = key
        self.signed = 0

    def key_id(self) -> str:
        """Return the key."""
        if self.key is None:
            raise SigningKeyMissingError("no key was given")
        return self.key

    def sign(self, body: bytes) -> str:
        """Return the key and a hash of the body."""
        self.signed += 1
        return f"{self.key_id()};{hashlib.sha256(body).hexdigest()}"


class FakeAudit:
    """An audit in memory; ``links`` may be tampered with, as the rows of a database may be."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.head = Head()

    def append(self, event: Event) -> None:
        """Chain a record behind the last one."""
        record = event.record(self.head.seq + 1)
        self.head = Head(seq=self.head.seq + 1, hash=link(self.head.hash, record))
        self.links.append(Link(seq=self.head.seq, at=event.at, tenant=event.tenant, record=record, hash=self.head.hash))

    async def page(self, scope: Scope, *, before: int | None, limit: int) -> tuple[Link, ...]:
        """See `Audit.page`."""
        seen = [found for found in reversed(self.links) if scope.platform or found.tenant == scope.tenant]
        return tuple(found for found in seen if before is None or found.seq < before)[:limit]

    async def verify(self) -> Verification:
        """See `Audit.verify`."""
        cuts = [found.record for found in self.links if found.record.get("act") == Act.CUT.value]
        verifier = Verifier(cut_of(cuts[-1]) if cuts else Head())
        return verifier.look(self.links) or verifier.end(self.head)

    async def cut(self, before: datetime, *, at: datetime) -> Cut | None:
        """See `Audit.cut`; what it is asked to cut it takes to be old enough."""
        old = 0
        while old < len(self.links) - 1 and self.links[old].at < before:
            old += 1
        if old == 0:
            return None
        through = Head(seq=self.links[old - 1].seq, hash=self.links[old - 1].hash)
        del self.links[:old]
        facts = {"through_seq": through.seq, "through_hash": through.hash, "records": old}
        self.append(Event(act=Act.CUT, tenant="platform", actor="retention", at=at, facts=facts))
        return Cut(records=old, through=through)


class FakeVersions:
    """Versions in memory, with the audit that they are written to."""

    def __init__(self, audit: FakeAudit | None = None) -> None:
        self.audit = audit or FakeAudit()
        self._drafts: list[Draft] = []
        self._deployed: dict[int, tuple[str, datetime]] = {}

    async def written_by(self, scope: Scope, key: str, request: bytes) -> Version | None:
        """See `Versions.written_by`."""
        for number, draft in enumerate(self._drafts, 1):
            if (draft.author.scope.tenant, draft.key) == (scope.tenant, key):
                if draft.request != request:
                    raise RequestConflictError(key, number)
                return self._version(number)
        return None

    async def write(self, draft: Draft, *, deploy: bool = False) -> Written:
        """See `Versions.write`."""
        found = await self.written_by(draft.author.scope, draft.key, draft.request)
        if found is not None:
            return Written(version=found, created=False)
        self._require(draft.base)
        self._drafts.append(draft)
        number = len(self._drafts)
        self._note(Act.PROPOSED if draft.restores is None else Act.RESTORED, draft.author, number, draft.at)
        if deploy:
            self._deploy(number, draft.author, draft.at)
        return Written(version=self._version(number), created=True)

    async def deploy(self, number: int, *, by: Author, at: datetime) -> Written:
        """See `Versions.deploy`."""
        version = await self.version(by.scope, number)
        if version.state is State.DEPLOYED:
            return Written(version=version, created=False)
        if version.deployed_at is not None:
            raise VersionConflictError(version.base, self._now_deployed())
        self._require(version.base)
        self._deploy(number, by, at)
        return Written(version=self._version(number), created=True)

    async def version(self, scope: Scope, number: int) -> Version:
        """See `Versions.version`."""
        version = self._version(number)
        if not scope.platform and version.tenant != scope.tenant:
            raise VersionNotFoundError(number)
        return version

    async def content(self, scope: Scope, number: int) -> Content:
        """See `Versions.content`."""
        await self.version(scope, number)
        whole = await self.whole(number)
        return Content(version=whole.version, files=scope.seen(whole.files), report=whole.report)

    async def versions(self, scope: Scope, *, before: int | None, limit: int) -> tuple[Version, ...]:
        """See `Versions.versions`."""
        numbers = range(len(self._drafts), 0, -1)
        found = [self._version(number) for number in numbers if before is None or number < before]
        return tuple(one for one in found if scope.platform or one.tenant == scope.tenant)[:limit]

    async def deployed_number(self) -> int:
        """See `Versions.deployed_number`."""
        return self._now_deployed()

    async def whole(self, number: int) -> Content:
        """See `Versions.whole`."""
        version = self._version(number)
        draft = self._drafts[number - 1]
        return Content(version=version, files=draft.files, report=draft.report)

    async def check(self) -> None:
        """Return at once."""

    def _now_deployed(self) -> int:
        return max(self._deployed, default=0)

    def _require(self, base: int) -> None:
        if base != self._now_deployed():
            raise VersionConflictError(base, self._now_deployed())

    def _deploy(self, number: int, by: Author, at: datetime) -> None:
        self._deployed[number] = (by.subject, at)
        self._note(Act.DEPLOYED, by, number, at)

    def _note(self, act: Act, by: Author, number: int, at: datetime) -> None:
        actor = f"{by.kind}:{by.subject}"
        self.audit.append(Event(act=act, tenant=by.scope.tenant, actor=actor, at=at, facts={"version": number}))

    def _version(self, number: int) -> Version:
        if not 1 <= number <= len(self._drafts):
            raise VersionNotFoundError(number)
        draft = self._drafts[number - 1]
        by, at = self._deployed.get(number, (None, None))
        deployed = self._now_deployed()
        if at is not None:
            state = State.DEPLOYED if number == deployed else State.SUPERSEDED
        else:
            state = State.PROPOSED if draft.base == deployed else State.OUTDATED
        return Version(
            number=number,
            tenant=draft.author.scope.tenant,
            author=draft.author.subject,
            message=draft.message,
            created_at=draft.at,
            digest=draft.digest,
            base=draft.base,
            restores=draft.restores,
            undecided=bool(json.loads(draft.report).get("undecided")),
            state=state,
            deployed_at=at,
            deployed_by=by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A request that a `FakeSolver` knows, with the ids of the policies that take effect on it and that fail."""

    environment: Environment
    request: Request
    effective: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()


class FakeSolver:
    """Knows the requests that it was given and takes them for all there are."""

    def __init__(self, *tried: Tried) -> None:
        self._tried = tried

    def environments(self) -> tuple[Environment, ...]:
        """Return the shapes of the requests, sorted."""
        return tuple(sorted({tried.environment for tried in self._tried}))

    def find(self, env: Environment, wanted: Formula) -> Example | None:
        """Return the first request that fulfils the formula, or None."""
        here = (tried for tried in self._tried if tried.environment == env and _fulfils(tried, wanted))
        return next((Example(request=tried.request) for tried in here), None)


def _fulfils(tried: Tried, wanted: Formula) -> bool:
    match wanted:
        case TakesEffect(policy):
            return policy.id in tried.effective
        case Fails(policy):
            return policy.id in tried.failing
        case Not(inner):
            return not _fulfils(tried, inner)
        case AllOf(several):
            return all(_fulfils(tried, one) for one in several)
        case AnyOf(several):
            return any(_fulfils(tried, one) for one in several)
