"""What the graph API reads from its environment."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from aeterna.graph.domain.catalogs import catalog_of, warehouse_of
from aeterna.postgres.login import Provider
from aeterna.service.settings import Duration, ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Mapping


def workload_environment() -> Mapping[str, str]:
    """Return the environment of the process, in which a cloud says who the workload is."""
    return os.environ


def _catalog(address: str) -> str:
    catalog_of(address)
    return address


def _warehouse(address: str) -> str:
    warehouse_of(address)
    return address


class CatalogSettings(BaseSettings):
    """Where graphs are kept: addresses as in `aeterna.graph.domain.catalogs`; neither holds a secret."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_API_")

    catalog_uri: Annotated[str, AfterValidator(_catalog)] = Field(min_length=1)
    warehouse: Annotated[str, AfterValidator(_warehouse)] = Field(min_length=1)


class LedgerSettings(BaseSettings):
    """Where documents and what they contribute are kept; without ``knowledge_dsn`` knowledge is off.

    ``knowledge_dsn`` is any libpq connection string; ``knowledge_migrate_dsn`` is set where the schema's owner is
    another login than the one that serves. The others are as those of the thread store's database.
    """

    knowledge_dsn: SecretStr | None = Field(default=None, min_length=1)
    knowledge_dsn_login: Provider = "password"
    knowledge_dsn_ca_file: Path | None = None
    knowledge_migrate_dsn: SecretStr | None = None
    knowledge_migrate_secret_arn: str | None = Field(default=None, min_length=1)
    knowledge_migrate_wait: Duration = timedelta(minutes=2)
    knowledge_migrate_lock_timeout: Duration = timedelta(seconds=5)
    knowledge_serving_login: str | None = Field(default=None, min_length=1, max_length=63)


class KnowledgeSettings(LedgerSettings):
    """How the process that serves uses the ledger: ``knowledge_migrate`` moves an old schema forward before serving.

    There are ``knowledge_pool_min`` to ``knowledge_pool_max`` connections, of which at most half publish.
    """

    knowledge_migrate: bool = False
    knowledge_pool_min: int = Field(default=2, ge=1)
    knowledge_pool_max: int = Field(default=8, ge=2)
    knowledge_pool_timeout: Duration = timedelta(seconds=2)
    knowledge_connect_timeout: Duration = timedelta(seconds=5)
    knowledge_statement_timeout: Duration = timedelta(seconds=10)
    knowledge_lock_timeout: Duration = timedelta(seconds=3)
    knowledge_idle_transaction_timeout: Duration = timedelta(seconds=10)


class MigrationSettings(CatalogSettings, LedgerSettings):
    """What ``python -m aeterna.api migrate`` reads; it needs neither tokens nor a policy.

    ``serving_login`` is let into the tables of a catalog in PostgreSQL, and made where the server is Azure's;
    ``knowledge_serving_login`` into the ledger of knowledge.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_API_")

    serving_login: str | None = Field(default=None, min_length=1, max_length=63)


class TableSettings(CatalogSettings):
    """Where graphs are kept, how safely, and how their tables are.

    ``durability`` "power" means that an acknowledged session survives a power failure; "process" only promises that
    it survives the process, and commits faster.

    Every moment of the last ``history`` can be read. The ``keep_least`` newest snapshots stay, and those younger than
    ``keep_age``, but at most ``keep_most``. What nothing names is deleted after ``garbage_grace``. Backups are made
    every ``backup_every`` and kept for ``backup_keep``.
    """

    durability: Literal["power", "process"] = "power"
    compaction_memory_bytes: int = Field(default=512 * 1024 * 1024, ge=64 * 1024 * 1024)
    history: Duration = timedelta(hours=24)
    keep_least: int = Field(default=20, ge=1)
    keep_age: Duration = timedelta(hours=24)
    keep_most: int = Field(default=100, ge=1)
    garbage_grace: Duration = Field(default=timedelta(hours=24), ge=timedelta(hours=1))
    backup_every: Duration = timedelta(hours=6)
    backup_keep: Duration = timedelta(days=7)


class RoundSettings(TableSettings):
    """What ``python -m aeterna.api maintain`` and ``backup`` read; they need neither tokens nor a policy.

    A round gives up after ``round_timeout``, and says how many tenants it did not reach.
    """

    round_timeout: Duration = Field(default=timedelta(hours=1), gt=timedelta(0))


class ApiSettings(TableSettings, KnowledgeSettings, ServiceSettings):
    """What the process that serves reads: beside its tables, how much is taken on at once.

    With ``upkeep`` the process keeps the tables of its open graphs fast and small: after every ``upkeep_commits``
    commits and every ``upkeep_every``.

    Open graphs look for other processes' commits every ``poll_every``, whether they are asked or not. When one has
    not shown a session for ``lag_bound`` that is known to be committed, the process is not ready.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_API_")

    port: int = Field(default=8081, ge=0, le=65535)
    max_body_bytes: int = Field(default=8 * 1024 * 1024, gt=0)
    waiting_sessions: int = Field(default=256, ge=1)
    open_tenants: int = Field(default=64, ge=1)
    past_snapshots: int = Field(default=8, ge=1)
    refresh_every: Duration = timedelta(seconds=1)
    feed_heartbeat: Duration = timedelta(seconds=15)
    feed_lifetime: Duration = timedelta(minutes=10)
    most_feeds: int = Field(default=500, ge=1)
    poll_every: Duration = timedelta(seconds=2)
    lag_bound: Duration = timedelta(seconds=10)
    upkeep: bool = True
    upkeep_every: Duration = timedelta(minutes=30)
    upkeep_commits: int = Field(default=50, ge=1)
    query_timeout: Duration = timedelta(seconds=30)
    max_depth: int = Field(default=5, ge=1, le=10)
    page_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
