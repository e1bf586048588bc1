"""Who administers a cluster on Azure: roles for the deployer, the named administrators and those of an emergency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.role_assignment import AzurermRoleAssignment
from aeterna.azure.principals import require_objects
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.azure.l1.kubernetes_cluster import AzurermKubernetesCluster
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.cluster import ClusterSpec

ADMINISTRATOR = "Azure Kubernetes Service RBAC Cluster Admin"
ADMINISTRATOR_GUID = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
FINDS_THE_CLUSTER = "Azure Kubernetes Service Cluster User Role"
GIVES_ROLES = "Role Based Access Control Administrator"

ONLY_ADMINISTRATOR = (
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
    "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] "
    f"ForAnyOfAnyValues:GuidEquals {{{ADMINISTRATOR_GUID}}})) AND "
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'})) OR "
    "(@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] "
    f"ForAnyOfAnyValues:GuidEquals {{{ADMINISTRATOR_GUID}}}))"
)
"""Whoever gives roles on the cluster under this condition can give the administrator's and no other (Azure RBAC
documentation, "Delegate Azure role assignment management using conditions")."""

FOLLOWS_THE_SPEC = Lifecycle()
KEPT = Lifecycle(ignore_changes=["principal_id"])
"""Whoever applies next is somebody else: following them would take the first one's rights away."""


@names_itself
class ClusterAccess(Construct):
    """The only ways into a cluster: the cluster's own accounts are switched off, and Entra ID's roles decide.

    Those of an emergency have no standing rights in the cluster. They may give themselves the administrator's role on
    it, which Azure demands a second factor for and writes into the activity log. Without any named, whoever may give
    roles in the subscription can do the same. `assignments` are what anything that talks to the API has to wait for.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: ClusterSpec, *, plane: AzurermKubernetesCluster, place: AzurePlace
    ) -> None:
        super().__init__(scope, id_)
        self._plane = plane
        self.assignments: list[AzurermRoleAssignment] = []
        require_objects("ClusterSpec", "administrators", spec.administrators)
        require_objects("ClusterSpec", "break_glass", spec.break_glass)
        if spec.deployer is None:
            self._administrator("Deployer", place.deployer_id, lifecycle=KEPT)
        else:
            require_objects("ClusterSpec", "deployer", (spec.deployer,))
            self._administrator("Deployer", spec.deployer)
        for number, principal in enumerate(spec.administrators, start=1):
            self._administrator(f"Administrator{number}", principal)
        for number, principal in enumerate(spec.break_glass, start=1):
            self._emergency(f"BreakGlass{number}", principal)

    def _administrator(self, id_: str, principal: str, *, lifecycle: Lifecycle = FOLLOWS_THE_SPEC) -> None:
        for suffix, role in (("", ADMINISTRATOR), ("Finds", FINDS_THE_CLUSTER)):
            self.assignments.append(
                AzurermRoleAssignment(
                    self,
                    f"{id_}{suffix}",
                    scope_=self._plane.id,
                    role_definition_name=role,
                    principal_id=principal,
                    lifecycle=lifecycle,
                )
            )

    def _emergency(self, id_: str, principal: str) -> None:
        AzurermRoleAssignment(
            self,
            id_,
            scope_=self._plane.id,
            role_definition_name=GIVES_ROLES,
            principal_id=principal,
            condition=ONLY_ADMINISTRATOR,
            condition_version="2.0",
            description="Emergency access to the cluster",
        )
        AzurermRoleAssignment(
            self,
            f"{id_}Finds",
            scope_=self._plane.id,
            role_definition_name=FINDS_THE_CLUSTER,
            principal_id=principal,
        )
