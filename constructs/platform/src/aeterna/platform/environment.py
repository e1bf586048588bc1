"""The settings that services of the platform share: whom they trust, whom they ask, how they listen and stop.

Each is a variable of the service's own Settings; a test loads those from what is written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.injection.names import POLICY_SOCKET
from aeterna.platform.names import WORKLOADS_FILE
from aeterna.platform.serving import DRAIN_DELAY, DRAIN_TIMEOUT
from aeterna.platform.volumes import CLUSTER, TLS, WORKLOADS

if TYPE_CHECKING:
    from aeterna.platform.site import Site

ANYWHERE = "0.0.0.0"  # noqa: S104 - inside its pod, which network policies keep others from
API_SERVER = "https://kubernetes.default.svc"


def listening(site: Site, *, host: str = ANYWHERE) -> dict[str, str]:
    """Return how a process listens and stops, without a prefix."""
    settings = {"HOST": host, "DRAIN_DELAY": str(DRAIN_DELAY), "DRAIN_TIMEOUT": str(DRAIN_TIMEOUT)}
    if site.spec.traces is not None:
        settings["OTLP_ENDPOINT"] = site.spec.traces
    return settings


def service(site: Site) -> dict[str, str]:
    """Return whom a service trusts, whom it asks, and what it proves itself with, without a prefix."""
    people = site.spec.people
    return {
        **listening(site),
        "ISSUER": people.issuer,
        "AUDIENCE": people.audience,
        "JWKS": people.jwks,
        "TENANT_CLAIM": people.tenant_claim,
        "POLICY_URL": f"unix:{POLICY_SOCKET}",
        "TLS_CERTIFICATE_FILE": f"{TLS}/tls.crt",
        "TLS_KEY_FILE": f"{TLS}/tls.key",
        "WORKLOADS": f"{WORKLOADS}/{WORKLOADS_FILE}",
        "WORKLOAD_ISSUER": site.foundation.cluster.issuer,
        "WORKLOAD_JWKS": f"{API_SERVER}/openid/v1/jwks",
        "WORKLOAD_JWKS_CA_FILE": f"{CLUSTER}/ca.crt",
        "WORKLOAD_JWKS_TOKEN_FILE": f"{CLUSTER}/token",
    }


def prefixed(prefix: str, settings: dict[str, str]) -> dict[str, str]:
    """Return the settings as variables of one program."""
    return {f"{prefix}{name}": value for name, value in settings.items()}
