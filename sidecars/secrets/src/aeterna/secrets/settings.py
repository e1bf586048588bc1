"""What the secrets sidecar reads from its environment, each variable beginning with ``AETERNA_SECRETS_``."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_settings import SettingsConfigDict

from aeterna.contracts.injection import names
from aeterna.service.settings import Duration, ListenSettings

if TYPE_CHECKING:
    from collections.abc import Mapping


def workload_environment() -> Mapping[str, str]:
    """Return what a cloud put into the pod's environment for its own identity."""
    return os.environ


def _users(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """Say what is expected in words of the environment; pydantic would speak of a frozenset."""
    try:
        return read(value)
    except ValidationError:
        raise ValueError("must be a JSON list of the numbers of users, such as [1000, 65532]") from None


_Users = Annotated[frozenset[Annotated[int, Field(strict=True, ge=0)]] | None, WrapValidator(_users)]


class SecretsSettings(ListenSettings):
    """Where the sidecar listens, what it keeps and where it writes.

    It gives secrets out on the Unix socket ``socket`` and on no port, which a web page could reach as well. ``peers``
    are the users that may ask there. Health is told on ``health_host`` and ``health_port``. ``config`` is the folder
    with ``secrets.yaml``, ``files`` the one that files are written into, which has to be memory unless
    ``files_anywhere``. A source has ``source_timeout`` to answer; at the end, all sources together have
    ``revoke_timeout`` to take their leases back.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_SECRETS_")

    port: int = Field(default=0, ge=0, le=0)
    socket: Path = Path(names.SECRETS_SOCKET)
    peers: _Users = None
    health_host: str = "127.0.0.1"
    health_port: int = Field(default=names.SECRETS_HEALTH_PORT, ge=0, le=65535)
    config: Path = Path(names.SECRETS_CONFIG_FOLDER)
    files: Path = Path(names.SECRETS_FILES)
    files_anywhere: bool = False
    source_timeout: Duration = Field(default=timedelta(seconds=5), gt=timedelta(0), le=timedelta(minutes=1))
    revoke_timeout: Duration = Field(default=timedelta(seconds=8), gt=timedelta(0))
