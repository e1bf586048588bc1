"""What the thread store reads from its environment, ``AETERNA_THREADS_*``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from aeterna.postgres.login import Provider
from aeterna.service.settings import Duration, ServiceSettings


class MigrationSettings(BaseSettings):
    """What ``python -m aeterna.threads migrate`` reads; it needs neither tokens nor a policy.

    ``dsn`` is any libpq connection string; ``migrate_dsn`` is set where the schema's owner is another login than the
    one that serves. ``dsn_login`` says who vouches for the login of both: the string itself, with its password or
    socket, or the cloud, whose tokens are the passwords. ``dsn_ca_file`` holds the certificates (PEM) that prove the
    server, if not the machine's own. ``migrate_wait`` bounds the wait for another migrator, ``migrate_lock_timeout``
    the one for a table. ``serving_login`` is let into the newest schema, and made where the cloud does not make it.
    ``migrate_secret_arn`` is the secret with the password of who migrates, on AWS, whose administrator has no token.
    """

    model_config = SettingsConfigDict(env_prefix="AETERNA_THREADS_", frozen=True, extra="forbid")

    dsn: SecretStr = Field(min_length=1)
    migrate_dsn: SecretStr | None = None
    dsn_login: Provider = "password"
    dsn_ca_file: Path | None = None
    migrate_wait: Duration = timedelta(minutes=2)
    migrate_lock_timeout: Duration = timedelta(seconds=5)
    serving_login: str | None = Field(default=None, min_length=1, max_length=63)
    migrate_secret_arn: str | None = Field(default=None, min_length=1)


class PushSettings(BaseSettings):
    """What push notifications are sent with; without both key files none are.

    ``push_secrets_key_file`` holds keys of 32 bytes in base64, one a line, the newest first. ``push_signing_key_file``
    holds PEM keys, Ed25519 or P-256, of which the first signs. ``push_private_hosts`` (``name`` or ``name:port``) may
    have private addresses, and be plain HTTP with ``push_allow_http``.
    """

    push_secrets_key_file: Path | None = None
    push_signing_key_file: Path | None = None
    push_issuer: str = Field(default="aeterna-threads", min_length=1)
    push_ports: tuple[int, ...] = (443, 8443)
    push_private_hosts: tuple[str, ...] = ()
    push_allow_http: bool = False
    push_ca_file: Path | None = None
    push_timeout: Duration = Field(default=timedelta(seconds=10), gt=timedelta(0), le=timedelta(minutes=5))
    push_poll: Duration = Field(default=timedelta(seconds=1), gt=timedelta(0))
    push_attempts: int = Field(default=12, ge=1)
    push_first_wait: Duration = Field(default=timedelta(seconds=1), gt=timedelta(0))
    push_longest_wait: Duration = Field(default=timedelta(minutes=5), gt=timedelta(0))
    push_max_age: Duration = Field(default=timedelta(hours=24), gt=timedelta(0))
    push_concurrency: int = Field(default=32, ge=1)
    push_per_host: int = Field(default=4, ge=1)
    push_tolerance: int = Field(default=5, ge=1)
    push_configs_per_task: int = Field(default=10, ge=1)
    push_most_waiting: int = Field(default=100_000, ge=1)


class RetentionSettings(BaseSettings):
    """How long threads live, and where their large parts are.

    A task lives for ``ttl`` after its last write unless it asks for another time, up to ``ttl_max``. Cleanup runs each
    ``cleanup_interval``, in one process at a time. ``objects`` is the address of the object store, ``file:///folder``,
    ``s3://bucket/prefix``, ``gs://bucket/prefix`` or ``az://account/container/prefix``; parts above
    ``object_threshold`` bytes go there. ``object_grace`` is longer than any write takes. The quotas are those of a
    tenant for which the table ``threads.quotas`` has none; without any there is no limit.
    """

    ttl: Duration = Field(default=timedelta(hours=1), ge=timedelta(seconds=1))
    ttl_max: Duration = Field(default=timedelta(days=365), ge=timedelta(seconds=1))
    cleanup_interval: Duration = Field(default=timedelta(minutes=1), gt=timedelta(0))
    objects: str | None = Field(default=None, pattern=r"^(file:///|s3://|gs://|az://).+$")
    object_threshold: int = Field(default=64 * 1024, ge=1024)
    quota_threads: int | None = Field(default=None, ge=0)
    quota_bytes: int | None = Field(default=None, ge=0)
    quota_open_tasks: int | None = Field(default=None, ge=0)
    quota_writes_per_second: int | None = Field(default=None, ge=1)
    object_grace: Duration = Field(default=timedelta(minutes=10), ge=timedelta(minutes=1))


class CleanupSettings(MigrationSettings, RetentionSettings):
    """What ``python -m aeterna.threads cleanup`` reads; it needs neither tokens nor a policy."""

    model_config = SettingsConfigDict(env_prefix="AETERNA_THREADS_", frozen=True, extra="forbid")


class ThreadsSettings(ServiceSettings, MigrationSettings, PushSettings, RetentionSettings):
    """What the service reads.

    ``migrate`` moves an old schema forward before serving. There are ``pool_min`` to ``pool_max`` connections, and one
    that listens. A stream is ended after ``stream_lifetime``, so that the client's token is looked at again.
    """

    model_config = SettingsConfigDict(env_prefix="AETERNA_THREADS_", frozen=True, extra="forbid")

    port: int = Field(default=8082, ge=0, le=65535)
    migrate: bool = False
    pool_min: int = Field(default=2, ge=1)
    pool_max: int = Field(default=16, ge=1)
    pool_timeout: Duration = timedelta(seconds=2)
    connect_timeout: Duration = timedelta(seconds=5)
    statement_timeout: Duration = timedelta(seconds=10)
    lock_timeout: Duration = timedelta(seconds=3)
    idle_transaction_timeout: Duration = timedelta(seconds=10)
    heartbeat: Duration = Field(default=timedelta(seconds=15), gt=timedelta(0))
    stream_lifetime: Duration = Field(default=timedelta(minutes=10), gt=timedelta(0))
    max_streams: int = Field(default=2000, ge=1)
