"""Every error that knowledge raises on purpose.

KnowledgeError
└── DocumentRefusedError    one document cannot be taken; those beside it are
"""

from __future__ import annotations

from aeterna.contracts.errors import AeternaError


class KnowledgeError(AeternaError):
    """What was asked of a tenant's knowledge is refused or cannot be done."""

    code = "knowledge.error"


class DocumentRefusedError(KnowledgeError):
    """The document is kept out, with the reason; nothing of it was taken, and what it had contributed before stays."""

    code = "knowledge.document_refused"

    def __init__(self, document: str, reason: str) -> None:
        """Name the document and say in a clause what is wrong with it, as in "is not UTF-8"."""
        super().__init__(f"{document!r} {reason}; mend it and send it again")
        self.document = document
        self.reason = reason
