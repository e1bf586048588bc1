"""What goes wrong with secrets. No error carries a value, a token or the body of an answer.

AeternaError
└── SecretsError
    ├── ConfigurationInvalidError    the configuration document cannot work as written
    ├── SourceError                  a source did not give what was asked of it
    │   ├── SourceUnavailableError   nothing of it now: sealed, standby, overloaded, out of reach
    │   └── RequestFailedError       it answers, but did not do this
    │       ├── AccessDeniedError    it does not, or no longer, believe the login
    │       ├── BadRequestError      it takes the request for wrong
    │       ├── SecretAbsentError    it has no such secret
    │       ├── LeaseLostError       it does not know the lease any more
    │       ├── SourceFaultError     it failed at this, as when it cannot reach the database
    │       └── SourceAnswerError    it answered with something that is no answer
    ├── SecretUnknownError           no secret is declared by that name
    ├── SecretNotReadyError          it was not fetched yet
    ├── SecretWithdrawnError         its lease ended and no other could be had
    ├── RenderError                  a file cannot be made of what the secrets hold
    ├── FolderRefusedError           secrets must not, or cannot, be written into this folder
    ├── NoticeFailedError            whoever was to be told of a change could not be
    └── PeerRefusedError             this user of the pod may not ask for secrets
"""

from __future__ import annotations

from aeterna.contracts.errors import AeternaError


class SecretsError(AeternaError):
    """The secrets sidecar refuses or cannot do something."""

    code = "secrets.error"


class ConfigurationInvalidError(SecretsError):
    """The configuration document cannot work as written."""

    code = "secrets.configuration_invalid"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")


class SourceError(SecretsError):
    """A source did not give what was asked of it."""

    code = "secrets.source_error"


class SourceUnavailableError(SourceError):
    """Nothing can be had from the source now; it may have said how many seconds to wait."""

    code = "secrets.source_unavailable"

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"the source {reason}")
        self.reason = reason
        self.retry_after = retry_after


class RequestFailedError(SourceError):
    """The source answers, but did not do this one thing."""

    code = "secrets.request_failed"


class AccessDeniedError(RequestFailedError):
    """The source does not, or no longer, believe the login, or does not let it do this."""

    code = "secrets.access_denied"

    def __init__(self, what: str) -> None:
        super().__init__(f"the source does not allow {what}")


class BadRequestError(RequestFailedError):
    """The source takes the request for wrong."""

    code = "secrets.bad_request"

    def __init__(self, what: str) -> None:
        super().__init__(f"the source says that {what} was wrong")


class SecretAbsentError(RequestFailedError):
    """The source has no such secret, or it was deleted there."""

    code = "secrets.secret_absent"

    def __init__(self, path: str) -> None:
        super().__init__(f"the source has nothing at {path!r}")


class LeaseLostError(RequestFailedError):
    """The source does not know the lease any more."""

    code = "secrets.lease_lost"

    def __init__(self) -> None:
        super().__init__("the source does not know the lease any more")


class SourceFaultError(RequestFailedError):
    """The source failed at this one thing, as when it cannot reach the database whose passwords it makes."""

    code = "secrets.source_fault"

    def __init__(self, status: int) -> None:
        super().__init__(f"the source failed at it with status {status}")


class SourceAnswerError(RequestFailedError):
    """The source answered with something that is no answer of its kind."""

    code = "secrets.source_answer"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the source's answer {reason}")


class SecretUnknownError(SecretsError):
    """No secret is declared by that name."""

    code = "secrets.secret_unknown"

    def __init__(self, name: str) -> None:
        super().__init__(f"no secret {name!r} is declared")
        self.name = name


class SecretNotReadyError(SecretsError):
    """The secret was not fetched yet."""

    code = "secrets.secret_not_ready"

    def __init__(self, name: str) -> None:
        super().__init__(f"secret {name!r} was not fetched yet")
        self.name = name


class SecretWithdrawnError(SecretsError):
    """The secret's lease ended, and no other could be had."""

    code = "secrets.secret_withdrawn"

    def __init__(self, name: str) -> None:
        super().__init__(f"secret {name!r} is withdrawn: it ended, and its source gave no other")
        self.name = name


class RenderError(SecretsError):
    """A file cannot be made of what the secrets hold."""

    code = "secrets.render_failed"

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"file {file!r}: {reason}")
        self.file = file


class FolderRefusedError(SecretsError):
    """Secrets must not, or cannot, be written into this folder."""

    code = "secrets.folder_refused"

    def __init__(self, folder: str, reason: str) -> None:
        super().__init__(f"{folder}: {reason}")
        self.reason = reason


class NoticeFailedError(SecretsError):
    """Whoever was to be told of a change could not be."""

    code = "secrets.notice_failed"

    def __init__(self, whom: str, reason: str) -> None:
        super().__init__(f"{whom} was not told: {reason}")
        self.reason = reason


class PeerRefusedError(SecretsError):
    """This user of the pod may not ask for secrets."""

    code = "secrets.peer_refused"

    def __init__(self) -> None:
        super().__init__("secrets are for the users that PEERS names, over the Unix socket")
