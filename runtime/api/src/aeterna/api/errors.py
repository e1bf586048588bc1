"""Every error that the graph API raises on purpose, beside those of what it is composed of.

AeternaError
└── KnowledgeNotConfiguredError  this deployment has no database for knowledge
"""

from __future__ import annotations

from aeterna.contracts.errors import AeternaError


class KnowledgeNotConfiguredError(AeternaError):
    """This deployment has no database for knowledge, so it keeps no documents and answers no questions."""

    code = "knowledge.not_configured"

    def __init__(self) -> None:
        super().__init__("knowledge is off here: set AETERNA_API_KNOWLEDGE_DSN to a PostgreSQL database and migrate it")
