"""How the settings want knowledge to be kept, by the process that serves as by the one that migrates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from aeterna.knowledge.main import Ledger
from aeterna.postgres.login import Provider
from aeterna.postgres.pool import Limits

if TYPE_CHECKING:
    from aeterna.api.settings import KnowledgeSettings, LedgerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Where:
    dsn: SecretStr
    dsn_login: Provider
    dsn_ca_file: Path | None


def ledger_of(settings: LedgerSettings) -> Ledger | None:
    """Return where the ledger is, or None where knowledge is off."""
    if settings.knowledge_dsn is None:
        return None
    return Ledger(
        where=_Where(
            dsn=settings.knowledge_dsn,
            dsn_login=settings.knowledge_dsn_login,
            dsn_ca_file=settings.knowledge_dsn_ca_file,
        ),
        owner=settings.knowledge_migrate_dsn,
        kept=settings.knowledge_migrate_secret_arn,
        wait=settings.knowledge_migrate_wait,
        lock=settings.knowledge_migrate_lock_timeout,
        serving_login=settings.knowledge_serving_login,
    )


def limits_of(settings: KnowledgeSettings) -> Limits:
    """Return how many connections there are and how long anything may take."""
    return Limits(
        min_connections=settings.knowledge_pool_min,
        max_connections=settings.knowledge_pool_max,
        acquire=settings.knowledge_pool_timeout,
        connect=settings.knowledge_connect_timeout,
        statement=settings.knowledge_statement_timeout,
        lock=settings.knowledge_lock_timeout,
        idle_in_transaction=settings.knowledge_idle_transaction_timeout,
    )
