"""The parts of a local runtime: what each is started with, and how one knows that it is ready.

No secret is among the arguments or in the environment: keys are files, and the database has no password.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.cli.local.bundle_key import shipped_policies
from aeterna.cli.local.record import PORTS
from aeterna.cli.local.tokens import AUDIENCE, ISSUER, LOCAL

if TYPE_CHECKING:
    from aeterna.cli.local.record import Record
    from aeterna.cli.local.state_dir import StateDir

POSTGRES = "postgres"
ORDER = (POSTGRES, "policy", "graph", "threads", "policies")
"""In which parts start; they stop in the reverse order."""
TITLES = {
    POSTGRES: "PostgreSQL",
    "policy": "policy sidecar",
    "graph": "graph API",
    "threads": "thread store",
    "policies": "policy admin",
}
MODULES = {
    "policy": "aeterna.policy",
    "graph": "aeterna.api",
    "threads": "aeterna.threads",
    "policies": "aeterna.policies",
}
PREFIXES = {
    "policy": "AETERNA_POLICY_",
    "graph": "AETERNA_API_",
    "threads": "AETERNA_THREADS_",
    "policies": "AETERNA_POLICIES_",
}

# What a child may know of our own environment; everything else, secrets included, stays here.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One HTTP service of the runtime."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    url: str


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what every child gets of our environment."""
    return {name: environment[name] for name in INHERITED if name in environment}


def services(state: StateDir, record: Record, dsn: str, environment: Mapping[str, str]) -> dict[str, Service]:
    """Return the services; settings that the caller's environment has for them are handed on, ours win.

    The sidecar begins with the policies that it ships, which the administration makes its first version; from then on
    it follows what is deployed there.
    """
    trust = {
        "ISSUER": ISSUER,
        "AUDIENCE": AUDIENCE,
        "JWKS": str(state.jwks),
        "POLICY_URL": record.url("policy"),
    }
    own = {
        "policy": {
            "BUNDLE_URL": f"{record.url('policies')}/v1/bundle",
            "BUNDLE_KEYS": str(state.bundle_public_key),
            "STATE": str(state.sidecar),
            "AUDIT_LOG": str(state.decisions),
            "REFRESH_INTERVAL": "2",
        },
        "graph": {
            **trust,
            "WAREHOUSE": str(state.warehouse),
            "CATALOG_URI": f"sqlite:///{state.catalog}",
            "KNOWLEDGE_DSN": dsn,
            "KNOWLEDGE_MIGRATE": "true",
        },
        "threads": {
            **trust,
            "DSN": dsn,
            "MIGRATE": "true",
            "OBJECTS": f"file://{state.objects}",
            "PUSH_SECRETS_KEY_FILE": str(state.push_secrets_key),
            "PUSH_SIGNING_KEY_FILE": str(state.push_signing_key),
        },
        "policies": {
            **trust,
            "DSN": dsn,
            "MIGRATE": "true",
            "PLATFORM_TENANT": LOCAL.tenant,
            "SIGNING_KEY_FILE": str(state.bundle_key),
            "SEED": str(shipped_policies()),
        },
    }
    made: dict[str, Service] = {}
    for name in PORTS:
        prefix, url = PREFIXES[name], record.url(name)
        settings = {**own[name], "HOST": "127.0.0.1", "PORT": url.rpartition(":")[2]}
        handed_on = {key: value for key, value in environment.items() if key.startswith(prefix)}
        made[name] = Service(
            name=name,
            command=(sys.executable, "-P", "-m", MODULES[name]),
            environment={
                **inherited(environment),
                **handed_on,
                **{prefix + key: value for key, value in settings.items()},
            },
            url=url,
        )
    return made
