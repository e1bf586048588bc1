"""What every service reads from its environment, and how a wrong setting is reported."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias, TypeVar, cast

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from aeterna.service.errors import SettingsInvalidError

_NUMBER = re.compile(r"\d+(\.\d+)?")
_SERVICE_LINK = re.compile(r"(tcp|udp|sctp)://")


def _seconds(value: object) -> object:
    """Read a bare number in an environment variable as seconds; pydantic itself takes ISO 8601 only."""
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


Duration: TypeAlias = Annotated[timedelta, BeforeValidator(_seconds)]
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]


class ListenSettings(BaseSettings):
    """Where a process listens and how it behaves as a process; a subclass per executable gives prefix and port.

    With ``tls_certificate_file`` (PEM, the chain) and ``tls_key_file`` it serves TLS 1.2 or later, and takes the files
    up anew when they are replaced.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    log_level: LogLevel = "info"
    max_body_bytes: int = Field(default=1024 * 1024, gt=0)
    request_timeout: Duration = timedelta(seconds=30)
    drain_delay: Duration = timedelta(0)
    drain_timeout: Duration = timedelta(seconds=10)
    otlp_endpoint: str | None = None
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_service_links(cls, values: object) -> object:
        """Leave out what Kubernetes tells each pod of a Service whose name is like a prefix of ours.

        Of a Service `aeterna-policy` it says ``AETERNA_POLICY_PORT=tcp://10.0.0.1:80``, and every pod of its namespace
        would be refused for a port that nobody set.
        """
        if not isinstance(values, dict):
            return values
        found = cast("dict[str, object]", values)
        return {name: each for name, each in found.items() if not (name.endswith("port") and _is_service_link(each))}

    @model_validator(mode="after")
    def _whole_pair(self) -> Self:
        if (self.tls_certificate_file is None) is not (self.tls_key_file is None):
            raise ValueError("TLS_CERTIFICATE_FILE and TLS_KEY_FILE are set together or not at all")
        return self


class ServiceSettings(ListenSettings):
    """Where a service listens, whom it trusts, and whom it asks.

    ``jwks`` is a file or an ``https`` address; ``policy_url`` is ``http://host:port`` or ``unix:/path``. Decisions are
    remembered for at most ``policy_ttl``, and only while the decision point says which policies are in force.
    Browsers of other origins are not served unless ``cors_origins`` names them.

    ``workloads`` is the document of namespaces and tenants (`aeterna.contracts.workloads`); with it pods prove
    themselves by tokens of ``workload_issuer``, their cluster, whose keys are at ``workload_jwks``. For an address of
    the cluster's own, ``workload_jwks_ca_file`` proves it and ``workload_jwks_token_file`` is shown to it.
    """

    issuer: str = Field(min_length=1)
    audience: str = Field(default="aeterna", min_length=1)
    jwks: str = Field(min_length=1)
    tenant_claim: str = Field(default="tenant", min_length=1)
    token_leeway: Duration = timedelta(seconds=30)
    policy_url: str = Field(pattern=r"^(https?://.+|unix:/.+)$")
    policy_timeout: Duration = timedelta(seconds=1)
    policy_ttl: Duration = Field(default=timedelta(seconds=5), ge=timedelta(0), le=timedelta(minutes=1))
    cors_origins: tuple[str, ...] = ()
    workloads: Path | None = None
    workload_issuer: str | None = Field(default=None, min_length=1)
    workload_jwks: str | None = Field(default=None, min_length=1)
    workload_jwks_ca_file: Path | None = None
    workload_jwks_token_file: Path | None = None

    @model_validator(mode="after")
    def _whole_cluster(self) -> Self:
        cluster = (self.workloads, self.workload_issuer, self.workload_jwks)
        shown = self.workload_jwks_ca_file is not None or self.workload_jwks_token_file is not None
        if (any(cluster) or shown) and not all(cluster):
            raise ValueError("WORKLOADS, WORKLOAD_ISSUER and WORKLOAD_JWKS are set together or not at all")
        if self.workload_issuer == self.issuer:
            raise ValueError("WORKLOAD_ISSUER must be another than ISSUER: each is believed in its own matters alone")
        if self.workload_jwks is not None and self.workload_jwks.startswith("http://"):
            raise ValueError("WORKLOAD_JWKS is a file or https: whoever answers there decides which pods are whose")
        if shown and not (self.workload_jwks or "").startswith("https://"):
            raise ValueError("WORKLOAD_JWKS_CA_FILE and WORKLOAD_JWKS_TOKEN_FILE are for an https WORKLOAD_JWKS")
        return self


def _is_service_link(value: object) -> bool:
    return isinstance(value, str) and _SERVICE_LINK.match(value) is not None


S = TypeVar("S", bound=BaseSettings)


def load(settings: type[S]) -> S:
    """Read the settings from the environment; raise `SettingsInvalidError` naming the variables, never their values."""
    try:
        return settings()
    except ValidationError as exc:
        prefix = settings.model_config.get("env_prefix", "")
        raise SettingsInvalidError(
            [
                f"{prefix}{'_'.join(str(part) for part in error['loc'])}".upper() + f": {error['msg']}"
                for error in exc.errors(include_url=False, include_input=False, include_context=False)
            ]
        ) from None
