"""The administration of policies as blocking code sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from aeterna.client import policy_operations as operations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.client.policy_values import (
        AuditRecord,
        AuditVerification,
        DeployedPolicies,
        PolicyContent,
        PolicyDiff,
        PolicyVersion,
    )
    from aeterna.client.sync_runner import SyncRunner


class SyncPolicies:
    """The policies that decide who may do what: their versions, and who changed them."""

    def __init__(self, runner: SyncRunner) -> None:
        self._runner = runner

    def propose(
        self, files: Mapping[str, str], *, message: str, base: int | None = None, request_id: str | None = None
    ) -> PolicyVersion:
        """Propose files as a version: all of those that you may change, by their path within the bundle.

        ``base`` is the version that you saw deployed; without it, the one that is now. Raise `PolicyRefusedError` with
        the findings, `PolicyVersionConflictError` when another version was deployed since, `PolicyFileForbiddenError`
        for a file that is not yours. Without an id one is drawn, which makes this call safe to retry.
        """
        seen = self.deployed().version if base is None else base
        return self._runner.run(
            operations.propose(files, base=seen, message=message, request_id=request_id or str(uuid4()))
        )

    def versions(self, *, page: int | None = None) -> Iterator[PolicyVersion]:
        """Give out every version that you may see, newest first, reading ``page`` of them at a time."""
        cursor: str | None = None
        while True:
            answer = self._runner.run(operations.versions(limit=page, cursor=cursor))
            yield from answer.versions
            cursor = answer.next_cursor
            if cursor is None:
                return

    def version(self, number: int) -> PolicyContent:
        """Read a version with its files and findings; raise `PolicyVersionNotFoundError`."""
        return self._runner.run(operations.version(number))

    def diff(self, number: int, *, against: int | None = None, effects: bool = False) -> PolicyDiff:
        """Read what differs between a version and what it was proposed on, or another one.

        With ``effects`` also who gains and who loses, with example requests, which may take seconds.
        """
        return self._runner.run(operations.diff(number, against=against, effects=effects))

    def deploy(self, number: int, *, accept_undecided: bool = False) -> PolicyVersion:
        """Make a version the one that decides; raise `PolicyVersionConflictError` when another was deployed since.

        Raise `PolicyAcceptanceRequiredError` if its analysis left questions open and that is not accepted.
        """
        return self._runner.run(operations.deploy(number, accept_undecided=accept_undecided))

    def roll_back(
        self,
        to: int,
        *,
        message: str,
        base: int | None = None,
        request_id: str | None = None,
        accept_undecided: bool = False,
    ) -> PolicyVersion:
        """Deploy the files of an earlier version as a new one; the arguments are as with `propose` and `deploy`."""
        seen = self.deployed().version if base is None else base
        return self._runner.run(
            operations.roll_back(
                to,
                base=seen,
                message=message,
                request_id=request_id or str(uuid4()),
                accept_undecided=accept_undecided,
            )
        )

    def deployed(self) -> DeployedPolicies:
        """Read what decides now."""
        return self._runner.run(operations.deployed())

    def audit(self, *, page: int | None = None) -> Iterator[AuditRecord]:
        """Give out who changed what and when, newest first, reading ``page`` records at a time."""
        cursor: str | None = None
        while True:
            answer = self._runner.run(operations.audit(limit=page, cursor=cursor))
            yield from answer.records
            cursor = answer.next_cursor
            if cursor is None:
                return

    def verify_audit(self) -> AuditVerification:
        """Have the audit's chain followed from its first record to its last."""
        return self._runner.run(operations.verify_audit())
