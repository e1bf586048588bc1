"""What the relay reads from its environment, ``AETERNA_RELAY_*``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path  # noqa: TC003 - pydantic reads the annotation
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from aeterna.contracts.hosts import is_loopback
from aeterna.service.settings import Duration, ListenSettings


class RelaySettings(ListenSettings):
    """Where the relay listens, which cache it reaches, and who it is there.

    It listens on the loopback alone: whoever reaches it acts as this workload. Probes and metrics are at
    ``health_port`` of ``health_host``.

    The cache is at ``cache_host`` and ``cache_port``; ``cache_ca_file`` holds the authorities (PEM) that prove it in
    the place of the system's, and is read again when it changes. ``cache_login`` is the cloud that vouches for this
    workload, ``cache_user`` its login. ``cache_name`` is what ElastiCache calls the cache, if its host does not tell.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_RELAY_")

    port: int = Field(default=6379, ge=0, le=65535)
    health_host: str = "127.0.0.1"
    health_port: int = Field(default=9183, ge=0, le=65535)
    cache_host: str = Field(min_length=1)
    cache_port: int = Field(default=6379, ge=1, le=65535)
    cache_login: Literal["aws", "gcp", "azure"]
    cache_user: str | None = Field(default=None, min_length=1)
    cache_name: str | None = Field(default=None, pattern=r"^[a-zA-Z][a-zA-Z0-9-]{0,63}$")
    cache_ca_file: Path | None = None
    connect_timeout: Duration = Field(default=timedelta(seconds=5), gt=timedelta(0))
    max_connections: int = Field(default=128, ge=1)

    @model_validator(mode="after")
    def _nobody_else(self) -> Self:
        if self.host != "localhost" and not is_loopback(self.host):
            raise ValueError("HOST must be of the loopback: whoever reaches it acts as this workload")
        if self.tls_certificate_file is not None:
            raise ValueError("TLS_CERTIFICATE_FILE is not for the relay, which is for programs without TLS")
        return self
