"""Roles that services grant only on a whole project, held to one resource of it by a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.gcp.l1.project_iam_member import GoogleProjectIamMember

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.contracts.late import Late
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One resource, as the conditions of IAM name it.

    ``path`` is the end of its full name from its collection on, such as ``/instances/threads``: some services write the
    project's id before it and some its number, and a grant in a project says nothing of resources outside it. The
    roles say which service it is of: not every service tells IAM its own name. Nor does every service tell the name of
    the resource, GKE for one not when the Kubernetes API is called; a condition there is never met.
    """

    path: str

    def expression(self) -> str:
        """Return the condition that holds for this resource alone."""
        return f'resource.name.endsWith("{self.path}")'


class OneResource(Construct):
    """Roles for one member on one resource, by the ids under which they are granted."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        place: GcpPlace,
        roles: Mapping[str, str],
        member: str | Late,
        target: Target,
    ) -> None:
        super().__init__(scope, id_)
        self.members: tuple[ITerraformDependable, ...] = tuple(
            GoogleProjectIamMember(
                self,
                role_id,
                project=place.project,
                role=role,
                member=member,
                condition={"title": "only this resource", "expression": target.expression()},
            )
            for role_id, role in roles.items()
        )
