"""What the policy administration point reads from its environment: variables that begin ``AETERNA_POLICIES_``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from aeterna.postgres.login import Provider
from aeterna.service.caller import TENANT_PATTERN
from aeterna.service.settings import Duration, ServiceSettings

_TENANT = f"^{TENANT_PATTERN.pattern}$"


class DatabaseSettings(BaseSettings):
    """What the offline commands read; they need neither tokens nor a policy.

    ``dsn`` is any libpq connection string; ``migrate_dsn`` is set where the schema's owner is another login than the
    one that serves. ``dsn_login`` says who vouches for the login of both: the string itself, with its password or
    socket, or the cloud, whose tokens are the passwords. ``dsn_ca_file`` holds the certificates (PEM) that prove the
    server, if not the machine's own. ``migrate_wait`` bounds the wait for another migrator, ``migrate_lock_timeout``
    for a table. ``serving_login`` is let into the newest schema, and made where the cloud does not make it.
    ``migrate_secret_arn`` is the secret with the password of who migrates, on AWS, whose administrator has no token.
    ``platform_tenant`` is the tenant whose administrators change everybody's policies; those of other
    tenants change their own. ``audit_kept`` is how long records are kept, 90 days at least.
    """

    model_config = SettingsConfigDict(env_prefix="AETERNA_POLICIES_", frozen=True, extra="forbid")

    dsn: SecretStr = Field(min_length=1)
    migrate_dsn: SecretStr | None = None
    dsn_login: Provider = "password"
    dsn_ca_file: Path | None = None
    migrate_wait: Duration = timedelta(minutes=2)
    migrate_lock_timeout: Duration = timedelta(seconds=5)
    serving_login: str | None = Field(default=None, min_length=1, max_length=63)
    migrate_secret_arn: str | None = Field(default=None, min_length=1)
    platform_tenant: str = Field(default="platform", pattern=_TENANT)
    audit_kept: Duration = Field(default=timedelta(days=90), ge=timedelta(days=90))
    pool_min: int = Field(default=1, ge=1)
    pool_max: int = Field(default=8, ge=1)
    pool_timeout: Duration = timedelta(seconds=2)
    connect_timeout: Duration = timedelta(seconds=5)
    statement_timeout: Duration = timedelta(seconds=10)
    lock_timeout: Duration = timedelta(seconds=3)
    idle_transaction_timeout: Duration = timedelta(seconds=10)


class PoliciesSettings(ServiceSettings, DatabaseSettings):
    """Where the administration listens, and what it stands on.

    ``migrate`` moves an old schema forward before serving. A bundle has at most ``max_files`` files of ``max_bytes``
    bytes together. ``analysis_timeout`` ends an analysis, and must be shorter than ``request_timeout``.
    ``signing_key_file`` holds the Ed25519 private key (PEM) that signs bundles; without it none are published.
    ``bundle_token_file`` holds the token that readers of bundles must show; without it whoever reaches the port reads
    them, signed. ``seed`` is the folder of a bundle that becomes version 1 where nothing was deployed: what sidecars
    begin with. Replicas are counted for ``replica_window`` after they were last heard.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_POLICIES_")

    port: int = Field(default=8185, ge=0, le=65535)
    max_body_bytes: int = Field(default=20 * 1024 * 1024, gt=0)
    migrate: bool = False
    max_files: int = Field(default=2000, ge=1)
    max_bytes: int = Field(default=16 * 1024 * 1024, ge=1)
    analysis_timeout: Duration = Field(default=timedelta(seconds=25), gt=timedelta(0))
    signing_key_file: Path | None = None
    bundle_token_file: Path | None = None
    seed: Path | None = None
    replica_window: Duration = Field(default=timedelta(minutes=1), gt=timedelta(0))
