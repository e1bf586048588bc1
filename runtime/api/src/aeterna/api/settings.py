"""What the graph API reads from its environment."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from aeterna.service.settings import Duration, ServiceSettings


class ApiSettings(ServiceSettings):
    """Where graphs are kept, how safely, and how much is taken on at once.

    ``durability`` "power" means that an acknowledged session survives a power failure; "process" only promises that
    it survives the process, and commits faster.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_API_")

    port: int = Field(default=8081, ge=0, le=65535)
    max_body_bytes: int = Field(default=8 * 1024 * 1024, gt=0)
    catalog_uri: str = Field(min_length=1)
    warehouse: str = Field(min_length=1)
    durability: Literal["power", "process"] = "power"
    waiting_sessions: int = Field(default=256, ge=1)
    open_tenants: int = Field(default=64, ge=1)
    past_snapshots: int = Field(default=8, ge=1)
    refresh_every: Duration = timedelta(seconds=1)
    query_timeout: Duration = timedelta(seconds=20)
