"""What an agent reads from its environment, ``AETERNA_AGENT_*``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from aeterna.service.caller import TENANT_PATTERN
from aeterna.service.settings import Duration, ServiceSettings


class AgentSettings(ServiceSettings):
    """What a process of an agent reads.

    ``threads_url`` is the thread store, ``threads_ca_file`` holds the authorities (PEM) that prove it in the place of
    the system's, ``token_file`` the token that the process brings it; both are read when they change. The token's
    tenant is the agent's, and ``tenant`` is where it names none, as a cluster's own tokens. ``public_url`` is what the
    card tells callers, and by default where the process listens. Without ``grpc_port`` there is no gRPC;
    ``grpc_public`` is its ``host:port`` on the card.

    A blocking SendMessage waits at most for ``send_timeout``; the task goes on after it. A stream is ended after
    ``stream_lifetime``, so that the caller's token is looked at again, and it says every ``heartbeat`` that it lives.
    ``ttl`` is how long a task is kept, by default as long as the store keeps one.

    A process that did not renew its lease for ``lease_ttl`` counts as dead; ``slots`` is how many tasks run at a time.
    A message that was cut off by the end of its process in all of its ``attempts`` fails its task.
    """

    model_config = SettingsConfigDict(env_prefix="AETERNA_AGENT_", frozen=True, extra="forbid")

    port: int = Field(default=8090, ge=0, le=65535)
    request_timeout: Duration = timedelta(minutes=5)
    threads_url: str = Field(pattern=r"^https?://.+$")
    threads_ca_file: Path | None = None
    token_file: Path = Path("/var/run/secrets/aeterna/token")
    tenant: str | None = Field(default=None, pattern=f"^{TENANT_PATTERN.pattern}$")
    public_url: str | None = Field(default=None, pattern=r"^https?://.+$")
    grpc_port: int | None = Field(default=None, ge=0, le=65535)
    grpc_public: str | None = None
    send_timeout: Duration = Field(default=timedelta(minutes=4), gt=timedelta(0))
    heartbeat: Duration = Field(default=timedelta(seconds=15), gt=timedelta(0))
    stream_lifetime: Duration = Field(default=timedelta(minutes=10), gt=timedelta(0))
    max_streams: int = Field(default=2000, ge=1)
    card_max_age: Duration = Field(default=timedelta(minutes=5), ge=timedelta(0))
    ttl: Duration | None = None
    lease_ttl: Duration = Field(default=timedelta(seconds=2), gt=timedelta(0))
    slots: int = Field(default=64, ge=1)
    attempts: int = Field(default=5, ge=1)

    @model_validator(mode="after")
    def _send_ends_first(self) -> Self:
        """Refuse a wait that the chassis would cut off, since its answer would not be the protocol's."""
        if self.send_timeout >= self.request_timeout:
            raise ValueError("send_timeout must be shorter than request_timeout")
        return self
