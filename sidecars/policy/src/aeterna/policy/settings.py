"""What the policy sidecar reads from its environment, each variable beginning with ``AETERNA_POLICY_``."""

from __future__ import annotations

import platform
from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from aeterna.service.settings import Duration, ListenSettings

SHIPPED = Path(__file__).parent / "bundle"
_TRUSTED_FOR = timedelta(days=1)


class PolicySettings(ListenSettings):
    """Where the sidecar listens, where its bundle is, and how long it may remember.

    With ``socket`` it listens on a Unix socket and on no port; probes and metrics alone are at ``health_port`` of
    ``health_host``, in plain HTTP. ``bundle_ca_file`` holds the authorities (PEM) that prove ``bundle_url``, and is
    read again when it changes. ``trusted_for`` says what ``max_age`` means while it
    is unset. ``public_url`` is what the metadata document calls the sidecar. ``tenant`` and ``namespace`` are
    what a question is of that says neither; ``state`` is the folder that survives a restart.

    Decisions are written down in the folder ``audit_log``: every deny with ``audit_denies``, and of the others the
    share ``audit_sample``. ``audit_full`` says what is answered when there is no room for one more.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_POLICY_")

    port: int = Field(default=8180, ge=0, le=65535)
    socket: Path | None = None
    health_host: str = "127.0.0.1"
    health_port: int | None = Field(default=None, ge=0, le=65535)
    bundle: Path = SHIPPED
    seeded: bool = True
    bundle_url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")
    bundle_keys: Path | None = None
    bundle_token_file: Path | None = None
    bundle_ca_file: Path | None = None
    bundle_timeout: Duration = Field(default=timedelta(seconds=10), gt=timedelta(0))
    replica: str = Field(default_factory=platform.node, pattern=r"^[\x21-\x7e]{1,128}$")
    state: Path | None = None
    admin_socket: Path | None = None
    admin_port: int | None = Field(default=None, ge=0, le=65535)
    admin_token_file: Path | None = None
    admin_max_body_bytes: int = Field(default=32 * 1024 * 1024, gt=0)
    quiet_period: Duration = Field(default=timedelta(seconds=1), gt=timedelta(0))
    schema_file: Path | None = None
    opal_url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")
    opal_interval: Duration = Field(default=timedelta(seconds=60), gt=timedelta(0))
    ttl: Duration = timedelta(seconds=60)
    cache_entries: int = Field(default=10_000, ge=0)
    refresh_interval: Duration = Field(default=timedelta(seconds=10), gt=timedelta(0))
    max_age: Duration | None = None
    workers: int = Field(default=1, ge=1, le=64)
    tenant: str | None = Field(default=None, min_length=1)
    namespace: str = Field(default="Aeterna", pattern=r"^([A-Za-z_]\w*(::[A-Za-z_]\w*)*)?$")
    max_evaluations: int = Field(default=50, ge=1)
    public_url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")
    max_body_bytes: int = Field(default=64 * 1024, gt=0)
    request_timeout: Duration = timedelta(seconds=5)
    audit_log: Path | None = None
    audit_sample: float = Field(default=1.0, ge=0, le=1)
    audit_denies: bool = True
    audit_full: Literal["drop", "deny"] = "drop"
    audit_queue: int = Field(default=4096, ge=1)
    audit_values: bool = False
    audit_segment_span: Duration = Field(default=timedelta(hours=1), gt=timedelta(0))
    audit_segment_bytes: int = Field(default=64 * 1024 * 1024, gt=0)
    audit_retention: Duration = Field(default=timedelta(days=90), gt=timedelta(0))
    audit_max_bytes: int = Field(default=4 * 1024 * 1024 * 1024, gt=0)
    audit_sync_every: Duration = timedelta(seconds=1)

    @property
    def fed_by(self) -> Literal["directory", "url", "pushes"]:
        """Which of the feeds it is; ``bundle`` is then only what there is to begin with."""
        if self.bundle_url is not None:
            return "url"
        return "directory" if self.admin_socket is None and self.admin_port is None else "pushes"

    @property
    def trusted_for(self) -> timedelta | None:
        """How long a bundle is trusted that is not confirmed: ``max_age``, or a day from a feed that can confirm.

        Pushes alone confirm nothing, for whoever pushes is silent while nothing changes: without somebody to ask, the
        last good bundle is trusted for ever.
        """
        asked = self.fed_by != "pushes" or self.opal_url is not None
        return self.max_age if self.max_age is not None or not asked else _TRUSTED_FOR

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        pushed = self.admin_socket is not None or self.admin_port is not None
        if self.bundle_url is not None and pushed:
            raise ValueError("BUNDLE_URL and ADMIN_SOCKET or ADMIN_PORT are two feeds, and there can be one")
        if self.bundle_url is not None and self.bundle_keys is None:
            raise ValueError("BUNDLE_URL needs BUNDLE_KEYS: a bundle is believed by its signature alone")
        if self.bundle_ca_file is not None and not (self.bundle_url or "").startswith("https://"):
            raise ValueError("BUNDLE_CA_FILE is for an https BUNDLE_URL")
        if self.socket is not None and self.tls_certificate_file is not None:
            raise ValueError("TLS_CERTIFICATE_FILE is for a port, and with SOCKET there is none")
        if self.admin_port is not None and self.admin_token_file is None:
            raise ValueError("ADMIN_PORT needs ADMIN_TOKEN_FILE: every process of the pod can reach a port")
        if self.admin_port is not None and self.admin_socket is not None:
            raise ValueError("ADMIN_SOCKET and ADMIN_PORT are two listeners, and there can be one")
        return self
