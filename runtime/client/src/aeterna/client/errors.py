"""Every error the client raises; the class of each problem code is in ``problem_codes``.

AeternaError
└── ClientError
├── ConfigurationError            an address or a token is missing
├── InvalidArgumentError          refused before anything was sent
├── UnreachableError              no connection; nothing was received by the service
├── NoAnswerError                 the connection broke or timed out; the service may have acted
├── UnreadableAnswerError         the answer does not have the documented shape
└── ProblemError                  the service answered with a problem document (RFC 9457)
├── UnauthenticatedError      TokenMissingError, TokenInvalidError, …
├── ForbiddenError            PolicyDeniedError, TenantMissingError
├── NotFoundError             NodeNotFoundError, NoPathError, SnapshotNotFoundError, ThreadNotFoundError
├── ConflictError             SessionConflictError, MessageConflictError, SequenceConflictError, …
├── InvalidRequestError       InvalidSessionError, UnknownNodeError, RequestTooLargeError, …
└── UnavailableError          GraphBusyError, DecisionUnavailableError, …: trying again later may help
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.errors import AeternaError

if TYPE_CHECKING:
    from aeterna.client.problem import Problem


class ClientError(AeternaError):
    """Something the client refuses, or could not get done."""

    code = "client.error"


class ConfigurationError(ClientError):
    """The client cannot be made: an address or a token is missing or malformed."""

    code = "client.configuration"

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


class InvalidArgumentError(ClientError):
    """An argument cannot be sent; nothing was."""

    code = "client.invalid_argument"

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument}: {problem}")
        self.argument = argument
        self.problem = problem


class UnreachableError(ClientError):
    """No connection could be made, so the service has seen nothing of the request."""

    code = "client.unreachable"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"cannot connect to {url}: {reason}")
        self.url = url
        self.reason = reason


class NoAnswerError(ClientError):
    """The connection broke or timed out before the answer was whole; the service may or may not have acted."""

    code = "client.no_answer"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"no answer from {url}: {reason}")
        self.url = url
        self.reason = reason


class UnreadableAnswerError(ClientError):
    """The answer does not have the documented shape; the service and this client are of different versions."""

    code = "client.unreadable_answer"

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"unreadable answer: {what} {problem}")
        self.what = what
        self.problem = problem


class ProblemError(ClientError):
    """The service refused the request and said why; ``problem`` holds all it said."""

    code = "client.problem"

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class UnauthenticatedError(ProblemError):
    """The service does not know who asks."""

    code = "client.unauthenticated"


class ForbiddenError(ProblemError):
    """The service knows who asks, and refuses."""

    code = "client.forbidden"


class NotFoundError(ProblemError):
    """What was asked for does not exist, or the caller's tenant may not see it."""

    code = "client.not_found"


class ConflictError(ProblemError):
    """The request contradicts what is already there; sending it again cannot help."""

    code = "client.conflict"


class InvalidRequestError(ProblemError):
    """The service read the request and found it malformed; nothing was written."""

    code = "client.invalid_request"


class UnavailableError(ProblemError):
    """The service cannot act now; the same request may pass later."""

    code = "client.unavailable"
