"""What the injector reads from its environment, ``AETERNA_INJECTOR_*``."""

from __future__ import annotations

import platform
from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from aeterna.contracts.injection.rights import SERVICES
from aeterna.service.settings import Duration, ListenSettings


class InjectorSettings(ListenSettings):
    """Where the injector listens, and where it finds what is to be injected.

    ``installation`` and ``workloads`` are files that may be replaced under the running process. Probes and metrics are
    at ``health_port`` of ``health_host``, in plain HTTP, since nothing about them is secret.

    With ``upkeep`` it is the authority of ``services``, of which it is ``own_service``: ``trust_overlap`` is how long
    clients know an authority before anything of it is shown, and after. Its cluster is the one that it runs in, or that
    of ``kubeconfig``; ``bundle_keys`` is the file of the public keys that policies are signed with.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_INJECTOR_")

    port: int = Field(default=8443, ge=0, le=65535)
    max_body_bytes: int = Field(default=8 * 1024 * 1024, gt=0)
    # Nobody who connects is known, and each can have 325 KB kept. An API server has one for each review under way.
    max_connections: int = Field(default=256, ge=1)
    # No API server waits longer than 30 s for a webhook, and ours is told not to wait half as long.
    request_timeout: Duration = timedelta(seconds=10)
    installation: Path = Path("/etc/aeterna/injector/installation.json")
    workloads: Path = Path("/etc/aeterna/injector/workloads.json")
    health_host: str = "127.0.0.1"
    health_port: int = Field(default=9182, ge=0, le=65535)
    upkeep: bool = True
    kubeconfig: Path | None = None
    cluster_timeout: Duration = Field(default=timedelta(seconds=10), gt=timedelta(0))
    replica: str = Field(default_factory=platform.node, pattern=r"^[\x21-\x7e]{1,128}$")
    services: tuple[str, ...] = SERVICES
    own_service: str = "injector"
    bundle_keys: Path | None = None
    authority_life: Duration = timedelta(days=365)
    certificate_life: Duration = Field(default=timedelta(days=30), ge=timedelta(hours=6))
    trust_overlap: Duration = Field(default=timedelta(days=7), gt=timedelta(0))
    upkeep_interval: Duration = Field(default=timedelta(seconds=10), gt=timedelta(0))
    look_interval: Duration = Field(default=timedelta(seconds=60), gt=timedelta(0))
    lease_duration: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1))

    @model_validator(mode="after")
    def _times_that_leave_room(self) -> Self:
        if self.trust_overlap > self.certificate_life / 4:
            raise ValueError(
                "TRUST_OVERLAP must fit four times into CERTIFICATE_LIFE, or a certificate could end first"
            )
        if self.certificate_life > self.authority_life / 4:
            raise ValueError("CERTIFICATE_LIFE must fit four times into AUTHORITY_LIFE")
        if self.own_service not in self.services:
            raise ValueError("OWN_SERVICE must be one of SERVICES, or it has no certificate")
        return self
