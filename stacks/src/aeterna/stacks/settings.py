"""What the app of the example stacks reads from its environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StacksSettings(BaseSettings):
    """Where to write."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    outdir: Path = Field(default=Path("cdktf.out"), validation_alias="CDKTF_OUTDIR")
    """``CDKTF_OUTDIR``, which the CDK's command line sets."""
