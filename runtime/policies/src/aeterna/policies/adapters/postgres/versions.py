"""Versions in PostgreSQL: a version, its deployment and their audit records are written in one transaction, or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aeterna.policies.adapters.postgres.audit import append, lock_chain
from aeterna.policies.domain.audit import Act, Event
from aeterna.policies.domain.scope import Scope
from aeterna.policies.domain.versions import Content, State, Version, Written
from aeterna.policies.errors import RequestConflictError, VersionConflictError, VersionNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from aeterna.policies.adapters.postgres.transactions import Statements, Transactions
    from aeterna.policies.domain.versions import Author, Draft
    from aeterna.postgres.pool import Row

_NEVER = 2**63 - 1


class PostgresVersions:
    """A `Versions` in PostgreSQL. Whoever writes holds the end of the audit's chain, so that one writes at a time."""

    def __init__(self, transactions: Transactions, *, platform: str) -> None:
        """Take the platform's own tenant, as which is read what every version stands on."""
        self._transactions = transactions
        self._everything = Scope(tenant=platform, platform=True)

    async def written_by(self, scope: Scope, key: str, request: bytes) -> Version | None:
        """See `Versions.written_by`."""
        return await self._transactions.run(scope, lambda statements: _found(statements, scope, key, request))

    async def write(self, draft: Draft, *, deploy: bool = False) -> Written:
        """See `Versions.write`."""
        scope = draft.author.scope

        async def work(statements: Statements) -> Written:
            head = await lock_chain(statements)
            if (found := await _found(statements, scope, draft.key, draft.request)) is not None:
                return Written(version=found, created=False)
            deployed = await _deployed(statements)
            if deployed != draft.base:
                raise VersionConflictError(draft.base, deployed)
            number = await _write(statements, draft)
            head = await append(statements, head, _proposed(draft, number))
            if deploy:
                await statements.do(
                    "write_deployment", number=number, previous=deployed, by=draft.author.subject, at=draft.at
                )
                version = await _version(statements, number)
                await append(statements, head, _deployed_event(draft.author, version, deployed, draft.at))
            return Written(version=await _version(statements, number), created=True)

        return await self._transactions.run(scope, work, everything=True)

    async def deploy(self, number: int, *, by: Author, at: datetime) -> Written:
        """See `Versions.deploy`."""
        # Read as the caller first: what they may not see they cannot deploy.
        version = await self.version(by.scope, number)

        async def work(statements: Statements) -> Written:
            head = await lock_chain(statements)
            deployed = await _deployed(statements)
            found = await _version(statements, number)
            if found.deployed_at is not None:
                if number == deployed:
                    return Written(version=found, created=False)
                raise VersionConflictError(version.base, deployed)
            if deployed != version.base:
                raise VersionConflictError(version.base, deployed)
            await statements.do("write_deployment", number=number, previous=deployed, by=by.subject, at=at)
            await append(statements, head, _deployed_event(by, version, deployed, at))
            return Written(version=await _version(statements, number), created=True)

        return await self._transactions.run(by.scope, work, everything=True)

    async def version(self, scope: Scope, number: int) -> Version:
        """See `Versions.version`."""
        await self._visible(scope, number)
        return await self._transactions.run(scope, lambda statements: _version(statements, number), everything=True)

    async def content(self, scope: Scope, number: int) -> Content:
        """See `Versions.content`."""
        await self._visible(scope, number)
        found = await self._content(number)
        return Content(version=found.version, files=scope.seen(found.files), report=found.report)

    async def versions(self, scope: Scope, *, before: int | None, limit: int) -> tuple[Version, ...]:
        """See `Versions.versions`."""

        async def work(statements: Statements) -> Sequence[Row]:
            return await statements.rows("newest_versions", before=before or _NEVER, limit=limit)

        rows = await self._transactions.run(scope, work)
        deployed = await self.deployed_number()
        return tuple(_read(row, deployed) for row in rows)

    async def deployed_number(self) -> int:
        """See `Versions.deployed_number`."""
        return await self._transactions.run(self._everything, _deployed)

    async def whole(self, number: int) -> Content:
        """See `Versions.whole`."""
        return await self._content(number)

    async def check(self) -> None:
        """Return when the database answers as it must; raise `StoreUnavailableError` when not."""
        await self._transactions.check()

    async def _visible(self, scope: Scope, number: int) -> None:
        """Raise `VersionNotFoundError` unless row-level security shows the version to this scope."""

        async def work(statements: Statements) -> bool:
            return bool(await statements.rows("read_version", number=number))

        if not await self._transactions.run(scope, work):
            raise VersionNotFoundError(number)

    async def _content(self, number: int) -> Content:
        async def work(statements: Statements) -> Content:
            version = await _version(statements, number)
            (row,) = await statements.rows("read_content", number=number)
            return Content(version=version, files=row["files"], report=json.dumps(row["report"]))

        return await self._transactions.run(self._everything, work)


async def _found(statements: Statements, scope: Scope, key: str, request: bytes) -> Version | None:
    """Return the version that a request of this key made; raise `RequestConflictError` if it was another request."""
    rows = await statements.rows("found_by_key", tenant=scope.tenant, key=key)
    if not rows:
        return None
    if bytes(rows[0]["request_digest"]) != request:
        raise RequestConflictError(key, rows[0]["number"])
    return await _version(statements, rows[0]["number"])


async def _deployed(statements: Statements) -> int:
    (row,) = await statements.rows("deployed_number")
    number: int = row["number"]
    return number


async def _write(statements: Statements, draft: Draft) -> int:
    (row,) = await statements.rows(
        "write_version",
        tenant=draft.author.scope.tenant,
        author=draft.author.subject,
        message=draft.message,
        at=draft.at,
        digest=draft.digest,
        base=draft.base,
        restores=draft.restores,
        files=json.dumps(dict(sorted(draft.files.items()))),
        report=draft.report,
        key=draft.key,
        request=draft.request,
    )
    number: int = row["number"]
    return number


async def _version(statements: Statements, number: int) -> Version:
    rows = await statements.rows("read_version", number=number)
    if not rows:
        raise VersionNotFoundError(number)
    return _read(rows[0], await _deployed(statements))


def _read(row: Row, deployed: int) -> Version:
    if row["deployed_at"] is not None:
        state = State.DEPLOYED if row["number"] == deployed else State.SUPERSEDED
    else:
        state = State.PROPOSED if row["base"] == deployed else State.OUTDATED
    return Version(state=state, **row)


def _proposed(draft: Draft, number: int) -> Event:
    return Event(
        act=Act.PROPOSED if draft.restores is None else Act.RESTORED,
        tenant=draft.author.scope.tenant,
        actor=f"{draft.author.kind}:{draft.author.subject}",
        at=draft.at,
        facts={
            "version": number,
            "digest": draft.digest,
            "base": draft.base,
            "restores": draft.restores,
            "message": draft.message,
        },
    )


def _deployed_event(by: Author, version: Version, previous: int, at: datetime) -> Event:
    return Event(
        act=Act.DEPLOYED,
        tenant=by.scope.tenant,
        actor=f"{by.kind}:{by.subject}",
        at=at,
        facts={
            "version": version.number,
            "digest": version.digest,
            "previous": previous,
            "undecided": version.undecided,
        },
    )
