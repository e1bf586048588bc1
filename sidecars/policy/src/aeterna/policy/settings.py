"""What the policy sidecar reads from its environment, each variable beginning with ``AETERNA_POLICY_``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from aeterna.service.settings import Duration, ListenSettings

SHIPPED = Path(__file__).parent / "bundle"


class PolicySettings(ListenSettings):
    """Where the sidecar listens, where its bundle is, and how long it may remember.

    With ``socket`` it listens on a Unix socket and on no port. ``max_age`` unset means that the last good bundle is
    trusted for ever. ``public_url`` is what the metadata document calls the sidecar. ``tenant`` and ``namespace`` are
    what a question is of that says neither; ``state`` is the folder that survives a restart.

    Decisions are written down in the folder ``audit_log``: every deny with ``audit_denies``, and of the others the
    share ``audit_sample``. ``audit_full`` says what is answered when there is no room for one more.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_POLICY_")

    port: int = Field(default=8180, ge=0, le=65535)
    socket: Path | None = None
    bundle: Path = SHIPPED
    state: Path | None = None
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
