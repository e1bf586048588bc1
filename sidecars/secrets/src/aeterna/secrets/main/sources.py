"""Builds the way into each source; what its driver costs in time and memory only those pay who have the source."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aeterna.secrets.domain.configuration import AwsLogin, AwsSource, AzureSource, GcpSource, VaultSource
from aeterna.secrets.settings import workload_environment
from aeterna.secrets.usecases.logins import Unending

# ruff: noqa: PLC0415 - hvac, botocore and the clouds' libraries are 10 to 30 MB each

if TYPE_CHECKING:
    from datetime import timedelta

    from aeterna.secrets.adapters.vault_client import Answer
    from aeterna.secrets.domain.configuration import Source
    from aeterna.secrets.ports import Entrance


def entrance(source: Source, *, timeout: timedelta) -> Entrance:
    """Return the way into a source."""
    match source:
        case VaultSource():
            return _vault(source, timeout)
        case AwsSource():
            from aeterna.secrets.adapters.aws_secrets_manager import AwsSecretsManager

            return Unending(AwsSecretsManager(source))
        case GcpSource():
            from aeterna.secrets.adapters.gcp_secret_manager import GcpSecretManager

            return Unending(GcpSecretManager(source, environment=workload_environment(), steady=time.monotonic))
        case AzureSource():
            from aeterna.secrets.adapters.azure_key_vault import AzureKeyVault

            return Unending(AzureKeyVault(source))


def _vault(source: VaultSource, timeout: timedelta) -> Entrance:
    from aeterna.secrets.adapters.vault_client import VaultClient
    from aeterna.secrets.adapters.vault_login import VaultEntrance

    return VaultEntrance(VaultClient(source, timeout=timeout), source.login, signed=_signed)


def _signed(login: AwsLogin) -> Answer:
    from aeterna.secrets.adapters.vault_aws_identity import signed_identity

    return signed_identity(login)
