"""How a stack reaches a cluster: the providers, which log in as whoever applies and keep no token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.contracts.errors import InvalidSpecError
from aeterna.platform.l1.helm.provider import HelmProvider
from aeterna.platform.l1.kubernetes.provider import KubernetesProvider
from aeterna.synth.expressions import Fn

if TYPE_CHECKING:
    from constructs import Construct

    from aeterna.contracts.cluster import ClusterOutputs

EXEC_API: Final = "client.authentication.k8s.io/v1beta1"
"""What every cloud's command answers."""


def reach(scope: Construct, cluster: ClusterOutputs) -> None:
    """Configure ``kubernetes`` and ``helm`` in the scope, usually a stack, for a cluster that is there already.

    The cluster's own command asks for a token at each run, so that none is in a state or a plan.
    """
    if not cluster.login:
        problem = "it was deployed by a release that did not tell how a client logs in"
        raise InvalidSpecError("FoundationOutputs", "cluster", problem, "apply the foundation of this release")
    command, *args = cluster.login
    authority = Fn.base64decode(cluster.certificate_authority)
    KubernetesProvider(
        scope,
        "kubernetes",
        host=cluster.endpoint,
        cluster_ca_certificate=authority,
        exec=[{"api_version": EXEC_API, "command": command, "args": args}],
    )
    HelmProvider(
        scope,
        "helm",
        kubernetes={
            "host": cluster.endpoint,
            "cluster_ca_certificate": authority,
            "exec": {"api_version": EXEC_API, "command": command, "args": args},
        },
    )
