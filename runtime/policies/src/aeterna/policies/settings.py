"""What the policy administration point reads from its environment: variables that begin ``AETERNA_POLICIES_``."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from aeterna.service.settings import ServiceSettings


class PoliciesSettings(ServiceSettings):
    """Where the administration listens, and what it stands on."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_POLICIES_")

    port: int = Field(default=8185, ge=0, le=65535)
