"""What the configuration of a pod's secrets says: where they come from, which there are, and who is given them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from aeterna.secrets.domain.rendition import FileSpec
from aeterna.secrets.domain.secret import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesLogin:
    """By the pod's service-account token, which Vault has reviewed by its cluster."""

    role: str
    token_file: Path
    mount: str = "kubernetes"


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtLogin:
    """By a token of an issuer that Vault trusts; the pod's service-account token is one."""

    role: str
    token_file: Path
    mount: str = "jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsLogin:
    """By a signed ``sts:GetCallerIdentity`` of the pod's AWS identity, which names ``server_id`` if Vault wants it."""

    role: str
    region: str = "us-east-1"
    server_id: str | None = None
    mount: str = "aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedLogin:
    """By a response-wrapped token that somebody else left in a file, to be unwrapped once.

    ``creation_path`` is where it must have been wrapped: a token that was intercepted and wrapped again shows there.
    """

    token_file: Path
    creation_path: str = "auth/token/create"


VaultLogin: TypeAlias = KubernetesLogin | JwtLogin | AwsLogin | WrappedLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultSource:
    """A Vault or an OpenBao."""

    address: str
    login: VaultLogin
    namespace: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSource:
    """AWS Secrets Manager, by the pod's identity."""

    region: str
    endpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GcpSource:
    """Google's Secret Manager, by the pod's identity."""

    project: str
    endpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureSource:
    """An Azure Key Vault, by the pod's identity."""

    vault_url: str


Source: TypeAlias = VaultSource | AwsSource | GcpSource | AzureSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One secret. ``interval`` is how often it is looked for anew when it has no lease.

    ``grace`` is how long the secret before it stays valid once it was replaced. ``keep`` is how long one without a
    lease is served while its source cannot confirm it; None is for as long as it takes.
    """

    source: str
    reference: Reference
    interval: timedelta = timedelta(minutes=1)
    grace: timedelta = timedelta(minutes=1)
    keep: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All of it, by name."""

    sources: Mapping[str, Source] = field(default_factory=dict[str, Source])
    secrets: Mapping[str, Declaration] = field(default_factory=dict[str, Declaration])
    files: tuple[FileSpec, ...] = ()
