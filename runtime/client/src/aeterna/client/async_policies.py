"""The administration of policies as asynchronous code sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from aeterna.client import policy_operations as operations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aeterna.client.async_runner import AsyncRunner
    from aeterna.client.policy_values import (
        AuditRecord,
        AuditVerification,
        DeployedPolicies,
        PolicyContent,
        PolicyDiff,
        PolicyVersion,
    )


class AsyncPolicies:
    """The policies that decide who may do what: their versions, and who changed them."""

    def __init__(self, runner: AsyncRunner) -> None:
        self._runner = runner

    async def propose(
        self, files: Mapping[str, str], *, message: str, base: int | None = None, request_id: str | None = None
    ) -> PolicyVersion:
        """Propose files as a version: all of those that you may change, by their path within the bundle.

        ``base`` is the version that you saw deployed; without it, the one that is now. Raise `PolicyRefusedError` with
        the findings, `PolicyVersionConflictError` when another version was deployed since, `PolicyFileForbiddenError`
        for a file that is not yours. Without an id one is drawn, which makes this call safe to retry.
        """
        seen = (await self.deployed()).version if base is None else base
        return await self._runner.run(
            operations.propose(files, base=seen, message=message, request_id=request_id or str(uuid4()))
        )

    async def versions(self, *, page: int | None = None) -> AsyncIterator[PolicyVersion]:
        """Give out every version that you may see, newest first, reading ``page`` of them at a time."""
        cursor: str | None = None
        while True:
            answer = await self._runner.run(operations.versions(limit=page, cursor=cursor))
            for one in answer.versions:
                yield one
            cursor = answer.next_cursor
            if cursor is None:
                return

    async def version(self, number: int) -> PolicyContent:
        """Read a version with its files and findings; raise `PolicyVersionNotFoundError`."""
        return await self._runner.run(operations.version(number))

    async def diff(self, number: int, *, against: int | None = None, effects: bool = False) -> PolicyDiff:
        """Read what differs between a version and what it was proposed on, or another one.

        With ``effects`` also who gains and who loses, with example requests, which may take seconds.
        """
        return await self._runner.run(operations.diff(number, against=against, effects=effects))

    async def deploy(self, number: int, *, accept_undecided: bool = False) -> PolicyVersion:
        """Make a version the one that decides; raise `PolicyVersionConflictError` when another was deployed since.

        Raise `PolicyAcceptanceRequiredError` if its analysis left questions open and that is not accepted.
        """
        return await self._runner.run(operations.deploy(number, accept_undecided=accept_undecided))

    async def roll_back(
        self,
        to: int,
        *,
        message: str,
        base: int | None = None,
        request_id: str | None = None,
        accept_undecided: bool = False,
    ) -> PolicyVersion:
        """Deploy the files of an earlier version as a new one; the arguments are as with `propose` and `deploy`."""
        seen = (await self.deployed()).version if base is None else base
        return await self._runner.run(
            operations.roll_back(
                to,
                base=seen,
                message=message,
                request_id=request_id or str(uuid4()),
                accept_undecided=accept_undecided,
            )
        )

    async def deployed(self) -> DeployedPolicies:
        """Read what decides now."""
        return await self._runner.run(operations.deployed())

    async def audit(self, *, page: int | None = None) -> AsyncIterator[AuditRecord]:
        """Give out who changed what and when, newest first, reading ``page`` records at a time."""
        cursor: str | None = None
        while True:
            answer = await self._runner.run(operations.audit(limit=page, cursor=cursor))
            for one in answer.records:
                yield one
            cursor = answer.next_cursor
            if cursor is None:
                return

    async def verify_audit(self) -> AuditVerification:
        """Have the audit's chain followed from its first record to its last."""
        return await self._runner.run(operations.verify_audit())
