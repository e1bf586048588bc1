"""What a service account may do at the API server: rules that are written once, as data, where their reason is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.platform.l1.kubernetes.cluster_role_binding_v1 import KubernetesClusterRoleBindingV1
from aeterna.platform.l1.kubernetes.cluster_role_v1 import KubernetesClusterRoleV1
from aeterna.platform.l1.kubernetes.role_binding_v1 import KubernetesRoleBindingV1
from aeterna.platform.l1.kubernetes.role_v1 import KubernetesRoleV1
from aeterna.platform.metadata import metadata
from aeterna.platform.names import labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.injection.rights import Right
    from aeterna.platform.l1.kubernetes.cluster_role_v1 import KubernetesClusterRoleV1RuleBlock
    from aeterna.platform.l1.kubernetes.role_binding_v1 import KubernetesRoleBindingV1SubjectBlock
    from aeterna.platform.l1.kubernetes.role_v1 import KubernetesRoleV1RuleBlock
    from aeterna.platform.metadata import Metadata
    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable

RBAC = "rbac.authorization.k8s.io"


class Rights(Construct):
    """The rights of one service account: in the platform's namespace, and in the whole cluster.

    What is the cluster's is called after the platform, since another one may be in the same cluster.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        site: Site,
        *,
        account: str,
        here: Sequence[Right],
        everywhere: Sequence[Right],
        after: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id_)
        subject: list[KubernetesRoleBindingV1SubjectBlock] = [
            {"kind": "ServiceAccount", "name": account, "namespace": site.namespace}
        ]
        own = metadata(account, "rights", site)
        role = KubernetesRoleV1(self, "Role", metadata=own, rule=[_rule(each) for each in here], depends_on=after)
        bound = KubernetesRoleBindingV1(
            self,
            "RoleBinding",
            metadata=own,
            role_ref={"api_group": RBAC, "kind": "Role", "name": account},
            subject=subject,
            depends_on=[role],
        )
        name = f"{site.namespace}-{account}"
        shared: Metadata = {"name": name, "labels": labels(account, "rights", site.spec)}
        cluster_role = KubernetesClusterRoleV1(
            self, "ClusterRole", metadata=shared, rule=[_cluster_rule(each) for each in everywhere]
        )
        bound_everywhere = KubernetesClusterRoleBindingV1(
            self,
            "ClusterRoleBinding",
            metadata=shared,
            role_ref={"api_group": RBAC, "kind": "ClusterRole", "name": name},
            subject=subject,
            depends_on=[cluster_role],
        )
        self.ready: tuple[ITerraformDependable, ...] = (bound, bound_everywhere)


def _rule(right: Right) -> KubernetesRoleV1RuleBlock:
    """Return the block of a right to a resource; names are left out where it has none, which means every object."""
    named: KubernetesRoleV1RuleBlock = {
        "api_groups": [right.group],
        "resources": [right.resource],
        "verbs": right.verbs,
    }
    return {**named, "resource_names": right.names} if right.names else named


def _cluster_rule(right: Right) -> KubernetesClusterRoleV1RuleBlock:
    """Return the block of a right to a resource, or to addresses of the API server that are no resource."""
    if right.urls:
        return {"non_resource_urls": right.urls, "verbs": right.verbs}
    named: KubernetesClusterRoleV1RuleBlock = {
        "api_groups": [right.group],
        "resources": [right.resource],
        "verbs": right.verbs,
    }
    return {**named, "resource_names": right.names} if right.names else named
