"""Who this workload is to a cache of each cloud: its name there, its tokens, and how long a login with one holds."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

from aeterna.service.clock import Clock, system_clock
from aeterna.service.errors import SettingsInvalidError

if TYPE_CHECKING:
    from aeterna.identity.login import Token, TokenSource
    from aeterna.relay.settings import RelaySettings

# ElastiCache ends a connection 12 hours after its login, whatever became of the token
# (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html).
_ELASTICACHE_HOURS: Final = 12
# Memorystore lets a connection go on when its token has ended
# (https://cloud.google.com/memorystore/docs/cluster/about-iam-auth). An identity that was revoked should not.
_MEMORYSTORE_HOURS: Final = 12
# They log what their issuers answer, in which these may repeat what they were sent; we say ourselves what failed.
_TALKATIVE: Final = ("botocore", "azure", "msal", "google.auth", "urllib3", "requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheLogin:
    """The user to log in as, and for how long a login holds; None is as long as its token."""

    user: str | None
    clock: Clock
    holds: float | None = None

    def ends(self, token: Token) -> float:
        """Return when the cache ends a connection that logs in with the token now (Unix time)."""
        return token.expires_at if self.holds is None else self.clock() + self.holds


def login_of(settings: RelaySettings, *, clock: Clock = system_clock) -> tuple[CacheLogin, TokenSource]:
    """Return the login that the settings name, and its tokens; a cloud's library is imported only where it is used."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    user = settings.cache_user
    match settings.cache_login:
        case "aws":
            return CacheLogin(user=user, clock=clock, holds=_ELASTICACHE_HOURS * 3600), _elasticache(settings, clock)
        case "gcp":
            gcp = import_module("aeterna.identity.gcp")
            return CacheLogin(user=user, clock=clock, holds=_MEMORYSTORE_HOURS * 3600), gcp.GcpTokenSource(
                gcp.CLOUD_PLATFORM
            )
        case "azure":
            # Managed Redis ends a connection with its token
            # (https://learn.microsoft.com/azure/redis/entra-for-authentication).
            azure = import_module("aeterna.identity.azure")
            return CacheLogin(user=user, clock=clock), azure.AzureTokenSource(azure.REDIS)


def _elasticache(settings: RelaySettings, clock: Clock) -> TokenSource:
    """Return the tokens of ElastiCache: a request to connect, signed for the cache's name and not for its address."""
    aws = import_module("aeterna.identity.aws")
    host = settings.cache_host.lower()
    serverless = ".serverless." in host
    name = settings.cache_name or cache_name(host)
    if name is None or settings.cache_user is None:
        raise SettingsInvalidError(
            ["AETERNA_RELAY_CACHE_USER and, where the host does not tell it, AETERNA_RELAY_CACHE_NAME are needed"]
        )
    parameters = {"Action": "connect", "User": settings.cache_user}
    if serverless:
        parameters["ResourceType"] = "ServerlessCache"
    request = aws.SignedRequest(service="elasticache", place=name, parameters=parameters)
    source: TokenSource = aws.AwsTokenSource(request, clock)
    return source


def cache_name(host: str) -> str | None:
    """Return the name of the cache of ElastiCache that a host's name tells, or None.

    ``master.NAME.x1.use1.cache.amazonaws.com`` is a replication group with TLS, ``clustercfg.`` one of several shards;
    ``NAME-x1.serverless.use1.cache.amazonaws.com`` has no nodes.
    """
    labels = host.lower().split(".")
    if "amazonaws" not in labels:
        return None
    if labels[0] in {"master", "replica", "clustercfg"}:
        return labels[1]
    return labels[0].rpartition("-")[0] or None if labels[1] == "serverless" else None
