"""What the chassis refuses, as one tree.

AeternaError
└── ServiceError
    ├── StartError                    the process cannot start; never seen by a caller
    │   ├── SettingsInvalidError
    │   ├── CertificateUnusableError
    │   └── AddressInUseError
    ├── AuthenticationError           who is calling is not proven
    │   ├── TokenMissingError
    │   └── TokenInvalidError
    ├── TenantMissingError            proven, but by no tenant of ours
    ├── PermissionDeniedError         proven, and not allowed
    ├── KeysUnavailableError          the keys to check a token with are out of reach
    ├── WorkloadsUnavailableError     whose a workload's namespace is cannot be told
    ├── NotReadyError                 a part of the process says why it should get no requests now
    ├── OriginRefusedError            a browser asks for a page of an origin that nobody named
    ├── RequestTooLargeError
    ├── RequestTimeoutError           the caller was too slow
    └── AnswerTimeoutError            we were too slow

``DecisionUnavailableError`` (nobody could say whether it is allowed: so it is not) is the enforcement point's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.errors import AeternaError
from aeterna.enforcement.errors import DecisionUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

__all__ = [
    "AddressInUseError",
    "AnswerTimeoutError",
    "AuthenticationError",
    "CertificateUnusableError",
    "DecisionUnavailableError",
    "KeysUnavailableError",
    "NotReadyError",
    "OriginRefusedError",
    "PermissionDeniedError",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "ServiceError",
    "SettingsInvalidError",
    "StartError",
    "TenantMissingError",
    "TokenInvalidError",
    "TokenMissingError",
    "WorkloadsUnavailableError",
]


class ServiceError(AeternaError):
    """The chassis of a service refuses something."""

    code = "service.error"


class StartError(ServiceError):
    """The process cannot start as it was asked to."""

    code = "start.refused"


class SettingsInvalidError(StartError):
    """A setting is missing or has a value that cannot be used."""

    code = "start.settings_invalid"

    def __init__(self, problems: Sequence[str]) -> None:
        """Take one line for each setting; never the value, which may be a secret."""
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class AddressInUseError(StartError):
    """Another process listens on the address that this one was given."""

    code = "start.address_in_use"

    def __init__(self, address: str, remedy: str) -> None:
        super().__init__(f"{address} is in use by another process; {remedy}")
        self.address = address


class CertificateUnusableError(StartError):
    """The certificate and the key that the process should serve with are no usable pair."""

    code = "start.certificate_unusable"


class AuthenticationError(ServiceError):
    """Who is calling is not proven."""

    code = "token.rejected"


class TokenMissingError(AuthenticationError):
    """The request carries no bearer token."""

    code = "token.missing"

    def __init__(self) -> None:
        super().__init__("send the header 'Authorization: Bearer <token>', once")


class TokenInvalidError(AuthenticationError):
    """The bearer token does not prove who is calling."""

    code = "token.invalid"

    def __init__(self, reason: str) -> None:
        """Take a reason that says what is wrong without repeating anything of the token."""
        super().__init__(reason)
        self.reason = reason


class TenantMissingError(ServiceError):
    """The token is valid and names no tenant: without a tenant there is no service."""

    code = "tenant.missing"

    def __init__(self, claim: str, reason: str) -> None:
        super().__init__(f"the token's claim {claim!r} {reason}")
        self.claim = claim


class PermissionDeniedError(ServiceError):
    """The policy does not let this caller do this."""

    code = "policy.denied"

    def __init__(self, action: str, resource: str) -> None:
        super().__init__(f"{action} on {resource} is not permitted to this caller")
        self.action = action
        self.resource = resource


class KeysUnavailableError(ServiceError):
    """The keys that prove tokens cannot be had, so no token can be proven."""

    code = "token.keys_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class WorkloadsUnavailableError(ServiceError):
    """There is no usable document of namespaces and tenants yet, so no workload of the cluster can be proven."""

    code = "token.workloads_unavailable"

    def __init__(self) -> None:
        super().__init__("the document of namespaces and tenants cannot be read")


class NotReadyError(ServiceError):
    """A part of the process is not fit for requests now; raised by checks, never by a request.

    ``why`` is shown to probes as it is, so it holds no address, no secret and no tenant's name.
    """

    code = "service.not_ready"

    def __init__(self, why: Mapping[str, str | int | float]) -> None:
        super().__init__(", ".join(f"{name} {value}" for name, value in why.items()))
        self.why = dict(why)


class OriginRefusedError(ServiceError):
    """A browser sent the request for a page of an origin that this service does not serve."""

    code = "request.origin_refused"

    def __init__(self) -> None:
        super().__init__("the header Origin names none of CORS_ORIGINS; programs send none")


class RequestTooLargeError(ServiceError):
    """The request's body is larger than this service takes."""

    code = "request.too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body may have at most {limit} bytes")
        self.limit = limit


class RequestTimeoutError(ServiceError):
    """The caller took too long to send the request."""

    code = "request.timeout"

    def __init__(self, limit: timedelta) -> None:
        super().__init__(f"the body must arrive within {limit.total_seconds():g} s")
        self.limit = limit


class AnswerTimeoutError(ServiceError):
    """The service took too long to answer; what was asked may or may not have been done."""

    code = "service.timeout"

    def __init__(self, limit: timedelta) -> None:
        super().__init__(f"no answer within {limit.total_seconds():g} s; repeat with the same idempotency key")
        self.limit = limit
