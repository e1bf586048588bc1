"""One error class for each problem code of knowledge."""

from __future__ import annotations

from typing import Final

from aeterna.client.errors import ConflictError, InvalidRequestError, NotFoundError, ProblemError, UnavailableError


class KnowledgeNotConfiguredError(ProblemError):
    """This deployment has no database for knowledge: it keeps no documents and answers no questions."""

    code = "knowledge.not_configured"


class DocumentRefusedError(InvalidRequestError):
    """The document is kept out, with the reason; what it had said before stays."""

    code = "knowledge.document_refused"


class DocumentNotFoundError(NotFoundError):
    """The tenant has no document of this id."""

    code = "knowledge.document_not_found"


class IngestionNotFoundError(NotFoundError):
    """The tenant has no ingestion of this id."""

    code = "knowledge.ingestion_not_found"


class IngestionTakenError(ConflictError):
    """Another process goes on with the ingestion, or it is finished."""

    code = "knowledge.ingestion_taken"


class QuestionRefusedError(InvalidRequestError):
    """The question cannot be asked as it is."""

    code = "knowledge.question_refused"


class KnowledgeBusyError(UnavailableError):
    """A lock or a connection was not free in time; nothing is half-written."""

    code = "knowledge.busy"


class KnowledgeUnavailableError(UnavailableError):
    """The database of knowledge cannot be reached; nothing is half-written."""

    code = "knowledge.unavailable"


class KnowledgeLoginError(KnowledgeUnavailableError):
    """The cloud gives the service no token for its database; nothing was written."""

    code = "knowledge.login_failed"


KNOWLEDGE_KINDS: Final[tuple[type[ProblemError], ...]] = (
    KnowledgeNotConfiguredError,
    DocumentRefusedError,
    DocumentNotFoundError,
    IngestionNotFoundError,
    IngestionTakenError,
    QuestionRefusedError,
    KnowledgeBusyError,
    KnowledgeUnavailableError,
    KnowledgeLoginError,
)
