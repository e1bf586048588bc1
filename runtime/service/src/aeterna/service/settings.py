"""What every service reads from its environment, and how a wrong setting is reported."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from aeterna.service.errors import SettingsInvalidError

_NUMBER = re.compile(r"\d+(\.\d+)?")


def _seconds(value: object) -> object:
    """Read a bare number in an environment variable as seconds; pydantic itself takes ISO 8601 only."""
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


Duration: TypeAlias = Annotated[timedelta, BeforeValidator(_seconds)]
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]


class ListenSettings(BaseSettings):
    """Where a process listens and how it behaves as a process; a subclass per executable gives prefix and port."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    log_level: LogLevel = "info"
    max_body_bytes: int = Field(default=1024 * 1024, gt=0)
    request_timeout: Duration = timedelta(seconds=30)
    drain_delay: Duration = timedelta(0)
    drain_timeout: Duration = timedelta(seconds=10)
    otlp_endpoint: str | None = None


class ServiceSettings(ListenSettings):
    """Where a service listens, whom it trusts, and whom it asks.

    ``jwks`` is a file or an ``https`` address; ``policy_url`` is ``http://host:port`` or ``unix:/path``. Decisions are
    remembered for at most ``policy_ttl``, and only while the decision point says which policies are in force.
    Browsers of other origins are not served unless ``cors_origins`` names them.
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
