"""What the injector refuses or cannot do, as one tree.

AeternaError
└── InjectorError
    ├── ReviewMalformedError             what should be an AdmissionReview is not one
    ├── AdmissionFailedError             an admission met something unforeseen
    ├── DefinitionUnreadableError        a document of what is injected cannot be read
    ├── CertificateUnreadableError       a certificate or its key is not one
    ├── AuthorityTooNewError             a later release wrote the authority; it is left as it is
    └── ClusterError                     the Kubernetes API did not do what it was asked
        ├── ClusterUnavailableError      it is away, or too busy
        ├── ClusterConflictError         somebody else was faster
        └── ClusterRefusedError          it will not: no right to, or nothing it would accept
"""

from __future__ import annotations

from aeterna.contracts.errors import AeternaError


class InjectorError(AeternaError):
    """The injector refuses or cannot do something."""

    code = "injector.error"


class ReviewMalformedError(InjectorError):
    """What was sent is not an AdmissionReview."""

    code = "injector.review_malformed"

    def __init__(self, problem: str, *, uid: str | None = None) -> None:
        """Take what is wrong with it, and its id where one could be found."""
        super().__init__(f"the AdmissionReview is malformed: {problem}")
        self.uid = uid


class AdmissionFailedError(InjectorError):
    """An admission met something that nobody foresaw; the log of the injector says what."""

    code = "injector.admission_failed"

    def __init__(self) -> None:
        super().__init__("the injector failed; its log says why")


class DefinitionUnreadableError(InjectorError):
    """A document of what is injected, or into whose pods, cannot be read or is not one."""

    code = "injector.definition_unreadable"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.reason = reason


class CertificateUnreadableError(InjectorError):
    """What should be a certificate, or its key, is not one."""

    code = "injector.certificate_unreadable"


class AuthorityTooNewError(InjectorError):
    """The authority's Secret was written by a later release than this one, which leaves it alone."""

    code = "injector.authority_too_new"

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"the authority is of format {found}, and this release knows {known}")
        self.found = found
        self.known = known


class ClusterError(InjectorError):
    """The Kubernetes API did not do what it was asked."""

    code = "injector.cluster_error"

    def __init__(self, what: str, reason: str) -> None:
        """Take what was asked and the reason in the server's words, which hold no content of an object."""
        super().__init__(f"{what}: {reason}")
        self.what = what
        self.reason = reason


class ClusterUnavailableError(ClusterError):
    """The Kubernetes API is away or too busy; the same request may succeed later."""

    code = "injector.cluster_unavailable"


class ClusterConflictError(ClusterError):
    """The object was changed, or made, since it was read; read it again and decide anew."""

    code = "injector.cluster_conflict"


class ClusterRefusedError(ClusterError):
    """The Kubernetes API will not do it as long as nobody changes a right or the object."""

    code = "injector.cluster_refused"
