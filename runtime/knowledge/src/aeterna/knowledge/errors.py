"""Every error that knowledge raises on purpose.

KnowledgeError
├── DocumentRefusedError        one document cannot be taken; those beside it are
├── DocumentNotFoundError       no such document that the tenant has
├── IngestionNotFoundError      no such ingestion that the tenant has
├── IngestionTakenError         another process goes on with the ingestion
├── ModelError                  a language model or an embedder did not do what it was asked
│   ├── ModelUnavailableError   it does not answer, or is in trouble; try again
│   │   └── ModelRejectedError  it refuses our requests: its settings are to be mended
│   └── ModelAnswerError        it answers what no endpoint of this protocol answers
├── QuestionRefusedError        the question is too long, or holds no word
├── StoreBusyError              a lock or a connection was not free in time; try again
├── StoreUnavailableError       the database is not there; try again
│   └── LoginFailedError        the login's cloud gives no token for it; try again
├── StoreDefectError            the database refused what it should accept: a defect of ours
└── DatabaseUnfitError          the process cannot start on this database; never seen by a caller
    ├── SchemaOutdatedError     it has not been migrated to what this release needs
    │   └── SchemaMissingError  it has never been migrated
    ├── RoleUnavailableError    the login may not act as the role of the ledger
    ├── RoleUnboundError        row-level security would not bind it
    ├── ConnectionInsecureError  a stranger could be the server
    ├── RevisionUnknownError    it was asked to become what no release knows
    └── DatabaseUnreachableError  it does not answer, or does not let the login in
"""

from __future__ import annotations

from typing import ClassVar, Final

from aeterna.contracts.errors import AeternaError
from aeterna.postgres import errors as postgres
from aeterna.postgres.names import Names

NAMES: Final = Names(name="knowledge", title="the knowledge ledger", within="api")


class KnowledgeError(AeternaError):
    """What was asked of a tenant's knowledge is refused or cannot be done."""

    code: ClassVar[str] = "knowledge.error"
    names: ClassVar[Names] = NAMES


class DocumentRefusedError(KnowledgeError):
    """The document is kept out, with the reason; nothing of it was taken, and what it had contributed before stays."""

    code = "knowledge.document_refused"

    def __init__(self, document: str, reason: str) -> None:
        """Name the document and say in a clause what is wrong with it, as in "is not UTF-8"."""
        super().__init__(f"{document!r} {reason}; mend it and send it again")
        self.document = document
        self.reason = reason


class DocumentNotFoundError(KnowledgeError):
    """The tenant has no document of this id."""

    code = "knowledge.document_not_found"

    def __init__(self, document: str) -> None:
        super().__init__(f"no document {document!r}")
        self.document = document


class IngestionNotFoundError(KnowledgeError):
    """The tenant has no ingestion of this id."""

    code = "knowledge.ingestion_not_found"

    def __init__(self, ingestion: str) -> None:
        super().__init__(f"no ingestion {ingestion!r}")
        self.ingestion = ingestion


class IngestionTakenError(KnowledgeError):
    """Another process goes on with the ingestion, or it is finished; nothing was written by this one."""

    code = "knowledge.ingestion_taken"

    def __init__(self, ingestion: str) -> None:
        super().__init__(f"another process goes on with the ingestion {ingestion!r}, or it is finished")
        self.ingestion = ingestion


class QuestionRefusedError(KnowledgeError):
    """The question cannot be asked as it is."""

    code = "knowledge.question_refused"

    def __init__(self, reason: str) -> None:
        """Say in a clause what is wrong with it, as in "holds no word"."""
        super().__init__(f"the question {reason}; ask in other words")
        self.reason = reason


class StoreBusyError(KnowledgeError, postgres.BusyError):
    """A lock, a connection or a statement took longer than allowed; nothing is half-written, try again."""

    code = "knowledge.busy"


class StoreUnavailableError(KnowledgeError, postgres.UnavailableError):
    """The database cannot be reached or cannot write; nothing is half-written, try again."""

    code = "knowledge.unavailable"


class LoginFailedError(StoreUnavailableError, postgres.LoginFailedError):
    """The cloud that vouches for the login gives no token for it; nothing was written, try again."""

    code = "knowledge.login_failed"


class StoreDefectError(KnowledgeError, postgres.DefectError):
    """The database refused a statement that it should accept; nothing was written."""

    code = "knowledge.defect"


class DatabaseUnfitError(KnowledgeError, postgres.UnfitError):
    """The process cannot start on this database as it is."""

    code = "knowledge.database_unfit"


class SchemaOutdatedError(DatabaseUnfitError, postgres.OutdatedError):
    """The database's schema is older than this release needs."""

    code = "knowledge.schema_outdated"


class SchemaMissingError(SchemaOutdatedError, postgres.MissingError):
    """The database has no schema of the ledger."""

    code = "knowledge.schema_missing"


class RoleUnavailableError(DatabaseUnfitError, postgres.RoleRefusedError):
    """The login may not act as the ledger's role."""

    code = "knowledge.role_unavailable"


class RoleUnboundError(DatabaseUnfitError, postgres.RoleFreeError):
    """The role that the ledger acts as may bypass row-level security, so tenants would not be apart."""

    code = "knowledge.role_unbound"


class ConnectionInsecureError(DatabaseUnfitError, postgres.InsecureError):
    """A stranger could be the database, or read what is said to it."""

    code = "knowledge.connection_insecure"


class RevisionUnknownError(DatabaseUnfitError, postgres.UnknownRevisionError):
    """No release has a schema of this revision."""

    code = "knowledge.revision_unknown"


class DatabaseUnreachableError(DatabaseUnfitError, postgres.NotReachedError):
    """The database does not answer, or does not let the login in."""

    code = "knowledge.database_unreachable"


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


class ModelError(KnowledgeError):
    """A language model or an embedder did not do what it was asked."""

    code = "knowledge.model"


class ModelUnavailableError(ModelError):
    """The model does not answer, or is in trouble; it may do so later."""

    code = "knowledge.model_unavailable"

    def __init__(self, reason: str, *, lost: int = 0) -> None:
        """Say in a clause what it does, and how many requests it may have counted although no answer came."""
        super().__init__(f"the model's endpoint {reason}")
        self.reason = reason
        self.lost = lost


class ModelRejectedError(ModelUnavailableError):
    """The endpoint refuses our requests: its address, its key or the model's name is to be mended."""

    code = "knowledge.model_rejected"


class ModelAnswerError(ModelError):
    """The endpoint answers what no endpoint of this protocol answers."""

    code = "knowledge.model_answer"

    def __init__(self, reason: str) -> None:
        """Say in a clause what is wrong with it."""
        super().__init__(f"the model's endpoint {reason}")
        self.reason = reason
