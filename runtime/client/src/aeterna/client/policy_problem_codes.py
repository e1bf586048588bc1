"""One error class for each problem code of the administration of policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    ProblemError,
    UnauthenticatedError,
    UnavailableError,
)
from aeterna.client.policy_operations import finding
from aeterna.client.reader import Reader

if TYPE_CHECKING:
    from aeterna.client.policy_values import PolicyFinding


class PolicyVersionNotFoundError(NotFoundError):
    """No version of the policies has this number, or it belongs to another tenant."""

    code = "policies.version_not_found"


class NothingDeployedError(NotFoundError):
    """No version of the policies was ever deployed."""

    code = "policies.nothing_deployed"


class PolicyVersionConflictError(ConflictError):
    """Another version of the policies was deployed since the caller looked; nothing was changed."""

    code = "policies.version_conflict"


class PoliciesUnchangedError(ConflictError):
    """The proposed files are those that are deployed already."""

    code = "policies.unchanged"


class PolicyRequestConflictError(ConflictError):
    """The request's id is that of an earlier request which asked for something else."""

    code = "policies.request_conflict"


class PolicyFileForbiddenError(ForbiddenError):
    """A proposed file is not the caller's to change."""

    code = "policies.file_forbidden"


class ProposalTooLargeError(InvalidRequestError):
    """The proposed bundle has more files or bytes than one may have."""

    code = "policies.proposal_too_large"


class PolicyRefusedError(InvalidRequestError):
    """The proposed bundle is invalid, or one of its permits opposes a forbid unasked."""

    code = "policies.refused"

    @property
    def findings(self) -> tuple[PolicyFinding, ...]:
        """What is wrong, those findings first that refuse the bundle."""
        return tuple(finding(item) for item in Reader(self.problem.facts, "problem").readers("findings"))


class PolicyAcceptanceRequiredError(ConflictError):
    """The analysis left questions open: the version is deployed only by who accepts that."""

    code = "policies.acceptance_required"

    @property
    def findings(self) -> tuple[PolicyFinding, ...]:
        """What could not be decided."""
        return tuple(finding(item) for item in Reader(self.problem.facts, "problem").readers("findings"))


class PolicyAnalysisTimeoutError(InvalidRequestError):
    """The analysis of the policies took longer than it may; nothing was written."""

    code = "policies.analysis_timeout"


class PoliciesBusyError(UnavailableError):
    """The administration's database is busy; nothing is half-written."""

    code = "policies.busy"


class PoliciesUnavailableError(UnavailableError):
    """The administration cannot reach its database; sidecars go on deciding by the bundle that they have."""

    code = "policies.unavailable"


class PoliciesLoginError(PoliciesUnavailableError):
    """The administration gets no token for its database from the cloud that vouches for its login."""

    code = "policies.login_failed"


class BundleTokenError(UnauthenticatedError):
    """Whoever reads bundles must show the token of the sidecars."""

    code = "policies.bundle_token"


class SigningKeyMissingError(UnavailableError):
    """The administration has no key to sign bundles with."""

    code = "policies.signing_key_missing"


POLICY_KINDS: tuple[type[ProblemError], ...] = (
    PolicyVersionNotFoundError,
    NothingDeployedError,
    PolicyVersionConflictError,
    PoliciesUnchangedError,
    PolicyRequestConflictError,
    PolicyFileForbiddenError,
    ProposalTooLargeError,
    PolicyRefusedError,
    PolicyAcceptanceRequiredError,
    PolicyAnalysisTimeoutError,
    PoliciesBusyError,
    PoliciesUnavailableError,
    PoliciesLoginError,
    BundleTokenError,
    SigningKeyMissingError,
)
