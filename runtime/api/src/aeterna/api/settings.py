"""What the graph API reads from its environment."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from aeterna.graph.domain.catalogs import catalog_of, warehouse_of
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


class ApiSettings(ServiceSettings):
    """Where graphs are kept, how safely, and how much is taken on at once.

    ``catalog_uri`` and ``warehouse`` are addresses as in `aeterna.graph.domain.catalogs`; neither holds a secret.

    ``durability`` "power" means that an acknowledged session survives a power failure; "process" only promises that
    it survives the process, and commits faster.

    With ``upkeep`` the process keeps the tables of its open graphs fast and small: after every ``upkeep_commits``
    commits and every ``upkeep_every``. Every moment of the last ``history`` can be read. The ``keep_least`` newest
    snapshots stay, and those younger than ``keep_age``, but at most ``keep_most``. What nothing names is deleted after
    ``garbage_grace``. Backups are made every ``backup_every`` and kept for ``backup_keep``.

    Open graphs look for other processes' commits every ``poll_every``, whether they are asked or not. When one has
    not shown a session for ``lag_bound`` that is known to be committed, the process is not ready.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_API_")

    port: int = Field(default=8081, ge=0, le=65535)
    max_body_bytes: int = Field(default=8 * 1024 * 1024, gt=0)
    catalog_uri: Annotated[str, AfterValidator(_catalog)] = Field(min_length=1)
    warehouse: Annotated[str, AfterValidator(_warehouse)] = Field(min_length=1)
    durability: Literal["power", "process"] = "power"
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
    compaction_memory_bytes: int = Field(default=512 * 1024 * 1024, ge=64 * 1024 * 1024)
    history: Duration = timedelta(hours=24)
    keep_least: int = Field(default=20, ge=1)
    keep_age: Duration = timedelta(hours=24)
    keep_most: int = Field(default=100, ge=1)
    garbage_grace: Duration = Field(default=timedelta(hours=24), ge=timedelta(hours=1))
    backup_every: Duration = timedelta(hours=6)
    backup_keep: Duration = timedelta(days=7)
    query_timeout: Duration = timedelta(seconds=30)
    max_depth: int = Field(default=5, ge=1, le=10)
    page_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
