"""What the policy administration point refuses or cannot do; the HTTP statuses are in ``api.problem``.

AeternaError
└── PoliciesError
    ├── VersionNotFoundError        no such version that the caller may see
    ├── NothingDeployedError        no version was ever deployed
    ├── VersionConflictError        another version was deployed since the caller looked
    ├── UnchangedError              the files are those that are deployed
    ├── RequestConflictError        the key of the request is taken by another request
    ├── FileForbiddenError          the file is not the caller's to change
    ├── ProposalTooLargeError       more files or bytes than a bundle may have
    ├── ProposalRefusedError        the bundle is invalid, or a permit opposes a forbid
    ├── AcceptanceRequiredError     the analysis left questions open, and nobody accepted that
    ├── AnalysisTimeoutError        the analysis took longer than it may
    ├── UndecidedError              a question about policies could not be answered; never seen by a caller
    ├── AnalysisFailedError         the process of the analysis ended without an answer
    ├── SigningKeyMissingError      there is no key to sign bundles with
    ├── BundleTokenError            the reader of a bundle has not shown the token
    ├── StoreBusyError              a lock or a connection was not free in time; try again
    ├── StoreUnavailableError       the database is not there; try again
    │   └── LoginFailedError        the login's cloud gives no token for it; try again
    ├── StoreDefectError            the database refused what it should accept: a defect of ours
    └── DatabaseUnfitError          the process cannot start on this database; never seen by a caller
        ├── SchemaOutdatedError     it has not been migrated to what this release needs
        │   └── SchemaMissingError  it has never been migrated
        ├── RoleUnavailableError    the login may not act as the service's role
        ├── RoleUnboundError        row-level security would not bind the service
        ├── ConnectionInsecureError a stranger could be the server
        ├── RevisionUnknownError    it was asked to become what no release knows
        └── DatabaseUnreachableError  it does not answer, or does not let the login in
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from aeterna.contracts.errors import AeternaError
from aeterna.postgres import errors as postgres
from aeterna.postgres.names import Names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from aeterna.service.json_value import JsonValue

NAMES: Final = Names(name="policies", title="the administration")


class PoliciesError(AeternaError):
    """The policy administration point refuses something, or cannot do it."""

    code: ClassVar[str] = "policies.error"
    names: ClassVar[Names] = NAMES


class UndecidedError(PoliciesError):
    """Whether such a request exists could not be decided; never to be read as there being none."""

    code = "policies.undecided"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class VersionNotFoundError(PoliciesError):
    """No version has this number, or it belongs to another tenant; the two are not told apart."""

    code = "policies.version_not_found"

    def __init__(self, number: int) -> None:
        super().__init__(f"no version {number}")
        self.number = number


class NothingDeployedError(PoliciesError):
    """No version of the policies was ever deployed."""

    code = "policies.nothing_deployed"

    def __init__(self) -> None:
        super().__init__("no version is deployed; propose one with base 0 and deploy it")


class VersionConflictError(PoliciesError):
    """Another version was deployed since the caller looked; nothing was changed."""

    code = "policies.version_conflict"

    def __init__(self, base: int, deployed: int) -> None:
        super().__init__(
            f"this stands on version {base}, and version {deployed} is deployed: "
            "look at what that one changed, and propose again"
        )
        self.facts = {"base": base, "deployed": deployed}


class UnchangedError(PoliciesError):
    """The files are those that are deployed already; nothing was written."""

    code = "policies.unchanged"

    def __init__(self, deployed: int) -> None:
        super().__init__(f"these are the files of version {deployed}, which is deployed")
        self.facts = {"deployed": deployed}


class RequestConflictError(PoliciesError):
    """The key of this request is that of an earlier request which asked for something else."""

    code = "policies.request_conflict"

    def __init__(self, key: str, number: int) -> None:
        super().__init__(f"the key {key!r:.300} belongs to another request, which made version {number}")
        self.facts = {"version": number}


class FileForbiddenError(PoliciesError):
    """The file is not the caller's to change: a tenant's administrators change their own tenant's files alone."""

    code = "policies.file_forbidden"

    def __init__(self, path: str, tenant: str) -> None:
        super().__init__(
            f"{path!r:.300} is not below tenants/{tenant}/, so only the platform's administrators change it"
        )
        self.facts = {"file": path}


class ProposalTooLargeError(PoliciesError):
    """The bundle has more files or more bytes than one may have; nothing was written."""

    code = "policies.proposal_too_large"

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(f"the bundle has {size} {what}; the limit is {limit}")
        self.facts = {"size": size, "limit": limit}


class ProposalRefusedError(PoliciesError):
    """The bundle must not be deployed: it is invalid, or one of its permits opposes a forbid unasked."""

    code = "policies.refused"

    def __init__(self, findings: Sequence[JsonValue], first: str) -> None:
        """Take the findings as JSON, those that refuse it first, and one line that says the first of them."""
        super().__init__(first)
        self.facts: dict[str, JsonValue] = {"findings": list(findings)}


class AcceptanceRequiredError(PoliciesError):
    """The analysis left questions open, so the bundle is not known to be clean; whoever deploys it must accept that."""

    code = "policies.acceptance_required"

    def __init__(self, findings: Sequence[JsonValue]) -> None:
        """Take what is undecided, as JSON."""
        super().__init__("the analysis left questions open: mend them, or deploy with accept_undecided")
        self.facts: dict[str, JsonValue] = {"findings": list(findings)}


class AnalysisTimeoutError(PoliciesError):
    """The analysis took longer than it may, so that nothing is known of the bundle; nothing was written."""

    code = "policies.analysis_timeout"

    def __init__(self, limit: timedelta) -> None:
        super().__init__(
            f"the analysis was ended after {limit.total_seconds():g} s: "
            "raise AETERNA_POLICIES_ANALYSIS_TIMEOUT, or propose fewer policies at once"
        )
        self.limit = limit


class AnalysisFailedError(PoliciesError):
    """The process of the analysis ended without an answer; nothing was written, and the log says why."""

    code = "policies.analysis_failed"

    def __init__(self) -> None:
        super().__init__("the analysis ended without an answer; the log of the administration says why")


class SigningKeyMissingError(PoliciesError):
    """There is no key that bundles are signed with, and an unsigned one would be refused by every reader."""

    code = "policies.signing_key_missing"

    def __init__(self, reason: str) -> None:
        super().__init__(f"bundles cannot be signed: {reason}; see AETERNA_POLICIES_SIGNING_KEY_FILE")


class BundleTokenError(PoliciesError):
    """Whoever reads bundles here must show the token of the sidecars, as a bearer token."""

    code = "policies.bundle_token"

    def __init__(self) -> None:
        super().__init__("show the token of AETERNA_POLICIES_BUNDLE_TOKEN_FILE as a bearer token")


class StoreBusyError(PoliciesError, postgres.BusyError):
    """A lock, a connection or a statement took longer than allowed; nothing is half-written, try again."""

    code = "policies.busy"
    again = "try again with the same request_id"


class StoreUnavailableError(PoliciesError, postgres.UnavailableError):
    """The database cannot be reached or cannot write; sidecars go on deciding by the bundle that they have."""

    code = "policies.unavailable"
    again = (
        "bring PostgreSQL back, then try again with the same request_id; "
        "sidecars go on deciding by the bundle that they have"
    )


class LoginFailedError(StoreUnavailableError, postgres.LoginFailedError):
    """The cloud that vouches for the login gives no token for it; nothing was written, try again."""

    code = "policies.login_failed"


class StoreDefectError(PoliciesError, postgres.DefectError):
    """The database refused a statement that it should accept; nothing was written."""

    code = "policies.defect"


class DatabaseUnfitError(PoliciesError, postgres.UnfitError):
    """The process cannot start on this database as it is."""

    code = "policies.database_unfit"


class SchemaOutdatedError(DatabaseUnfitError, postgres.OutdatedError):
    """The database's schema is older than this release needs."""

    code = "policies.schema_outdated"


class SchemaMissingError(SchemaOutdatedError, postgres.MissingError):
    """The database has no schema of the administration."""

    code = "policies.schema_missing"


class RoleUnavailableError(DatabaseUnfitError, postgres.RoleRefusedError):
    """The login may not act as the role that the service acts as."""

    code = "policies.role_unavailable"


class RoleUnboundError(DatabaseUnfitError, postgres.RoleFreeError):
    """The role that the service acts as may bypass row-level security, so tenants would not be apart."""

    code = "policies.role_unbound"


class ConnectionInsecureError(DatabaseUnfitError, postgres.InsecureError):
    """A stranger could be the database, or read what is said to it."""

    code = "policies.connection_insecure"


class RevisionUnknownError(DatabaseUnfitError, postgres.UnknownRevisionError):
    """No release of the administration has a schema of this revision."""

    code = "policies.revision_unknown"


class DatabaseUnreachableError(DatabaseUnfitError, postgres.NotReachedError):
    """The database does not answer, or does not let the login in."""

    code = "policies.database_unreachable"


FAMILY: Final = postgres.Family(
    busy=StoreBusyError,
    unavailable=StoreUnavailableError,
    login_failed=LoginFailedError,
    defect=StoreDefectError,
    outdated=SchemaOutdatedError,
    missing=SchemaMissingError,
    role_refused=RoleUnavailableError,
    role_free=RoleUnboundError,
    insecure=ConnectionInsecureError,
    unknown_revision=RevisionUnknownError,
    not_reached=DatabaseUnreachableError,
)
"""What the database's own errors are called here."""
