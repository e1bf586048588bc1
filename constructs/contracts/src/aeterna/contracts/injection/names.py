"""The fixed words of the injection: a public contract, since pods, policies and dashboards repeat them."""

from __future__ import annotations

from typing import Final

DOMAIN: Final = "aeterna.io"

# Annotations that a pod's author writes.
INJECT: Final = f"{DOMAIN}/inject"
"""Which sidecars: ``policy``, ``secrets``, or both with a comma. ``false``, or none at all, is no injection."""
TENANT: Final = f"{DOMAIN}/tenant"
"""The tenant that the pod works for. Default: the one that its namespace is of; any other one is refused."""
CACHE_TTL: Final = f"{DOMAIN}/cache-ttl"
"""How long a decision may be remembered, in seconds."""
VERSION: Final = f"{DOMAIN}/version"
"""The version of all sidecars. Default: the installation's."""
POLICY_VERSION: Final = f"{DOMAIN}/policy-version"
SECRETS_VERSION: Final = f"{DOMAIN}/secrets-version"
SECRETS_CONFIG: Final = f"{DOMAIN}/secrets-config"
"""The ConfigMap of the pod's namespace that says which secrets there are, and how their files look."""
POLICY_CPU: Final = f"{DOMAIN}/policy-cpu"
POLICY_MEMORY: Final = f"{DOMAIN}/policy-memory"
SECRETS_CPU: Final = f"{DOMAIN}/secrets-cpu"
SECRETS_MEMORY: Final = f"{DOMAIN}/secrets-memory"
"""Requests, as Kubernetes' quantities; memory is the limit as well."""

# What the injection writes.
STATUS: Final = f"{DOMAIN}/status"
"""``injected`` and the digest of the definition, so that what runs can be compared with what would be injected now."""
INJECTED: Final = f"{DOMAIN}/injected"
"""A label of the pod, for selectors of network policies and monitors."""

# Labels of namespaces.
INJECTION: Final = f"{DOMAIN}/injection"
"""``enabled`` on a namespace whose pods are looked at."""

POLICY_CONTAINER: Final = "aeterna-policy"
SECRETS_CONTAINER: Final = "aeterna-secrets"
OPAL_CONTAINER: Final = "aeterna-opal-client"

SOCKETS_VOLUME: Final = "aeterna-sockets"
TOKEN_VOLUME: Final = "aeterna-token"  # noqa: S105 - the name of a volume
TRUST_VOLUME: Final = "aeterna-trust"
POLICY_STATE_VOLUME: Final = "aeterna-policy-state"
POLICY_TMP_VOLUME: Final = "aeterna-policy-tmp"
SECRETS_VOLUME: Final = "aeterna-secrets"
SECRETS_CONFIG_VOLUME: Final = "aeterna-secrets-config"
SECRETS_TMP_VOLUME: Final = "aeterna-secrets-tmp"
OPAL_TMP_VOLUME: Final = "aeterna-opal-tmp"
NO_API_TOKEN_VOLUME: Final = "aeterna-no-api-token"  # noqa: S105 - the name of a volume
"""An empty one that stands in sidecars where Kubernetes' own token would be."""
OPAL_TOKEN_VOLUME: Final = "aeterna-opal-token"  # noqa: S105 - the name of a volume

SOCKETS: Final = "/run/aeterna"
POLICY_SOCKET: Final = f"{SOCKETS}/policy.sock"
SECRETS_SOCKET: Final = f"{SOCKETS}/secrets.sock"
SECRETS_FILES: Final = "/run/aeterna-secrets"
"""Not below ``/run/secrets/aeterna``: ``/var/run`` is a link to ``/run`` in most images, and there is the token."""
TOKEN_FILE: Final = "/var/run/secrets/aeterna/token"  # noqa: S105 - the path of a file
TRUST: Final = "/etc/aeterna/trust"
"""The folder with ``ca.crt``, the authority of the platform's own services, and ``bundle-keys.pem``."""
SECRETS_CONFIG_FOLDER: Final = "/etc/aeterna/secrets"
POLICY_STATE: Final = "/var/lib/aeterna"
POLICY_ADMIN_TOKEN: Final = "/var/run/secrets/aeterna-opal/token"  # noqa: S105 - the path of a file
POLICY_ADMIN_PORT: Final = 9184
OPAL_CLIENT_PORT: Final = 9185
"""Both of the pod's loopback: OPAL's client pushes to the one, and is asked at the other to push again. Not the ports
that both have by default, 8181 and 7000, since an author's container may well listen there."""
API_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - the path of a folder
"""Where Kubernetes puts its own token, unless something is there already."""
BUNDLE_KEYS: Final = f"{TRUST}/bundle-keys.pem"
CA_FILE: Final = f"{TRUST}/ca.crt"
WORKLOADS_FILE: Final = f"{TRUST}/workloads.json"
"""The tenancy of the namespaces of the same tenant, so that its agents can tell each other's pods."""
WORKLOAD_KEYS: Final = f"{TRUST}/workload-jwks.json"
"""The keys with which the cluster signs tokens of pods."""

OPAL_CLIENT_SECRET: Final = "aeterna-opal-client"  # noqa: S105 - the name of a Secret
"""A Secret of a tenant's namespace, with the key ``token``: what OPAL's client shows to its server."""
TRUST_CONFIG_MAP: Final = "aeterna-trust"
"""A ConfigMap that the injector keeps in every namespace that is injected."""
WEBHOOK: Final = "aeterna-injector"
AUDIENCE: Final = "aeterna"

POLICY_HEALTH_PORT: Final = 9180
SECRETS_HEALTH_PORT: Final = 9181
"""Of the pod's address, for probes and Prometheus: ``/live``, ``/ready``, ``/metrics`` and nothing else."""
SIDECAR_USER: Final = 65532
