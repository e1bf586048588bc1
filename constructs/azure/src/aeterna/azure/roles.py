"""Role assignments: one role, on one thing, for one principal, and the wait until every part of Azure knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.role_assignment import AzurermRoleAssignment
from aeterna.synth.l1.time.sleep import TimeSleep
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.neutral_providers import require_time

if TYPE_CHECKING:
    from aeterna.synth._cdk import ITerraformDependable
    from aeterna.synth.values import Text

SPREADING = "120s"
"""How long a new assignment may take to reach the service that asks for it. Azure promises ten minutes and seldom takes
two (Azure RBAC documentation, "Troubleshoot Azure RBAC"); a store that asks too early is refused, and some stay so."""

MACHINE = "ServicePrincipal"
"""What managed identities are. Named, because Entra ID may not find one that was made a moment ago."""

FOLLOWS_THE_SPEC = Lifecycle()


class Granted(Construct):
    """One of Azure's own roles on one thing, for one principal. Who needs it waits for `ready`.

    ``kind`` is the principal's. Default: a managed identity; None where it may be a person as well.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        role: str,
        on: Text,
        to: Text,
        kind: str | None = MACHINE,
        lifecycle: Lifecycle = FOLLOWS_THE_SPEC,
    ) -> None:
        super().__init__(scope, id_)
        require_time(self)
        assignment = AzurermRoleAssignment(
            self,
            "Resource",
            scope_=on,
            role_definition_name=role,
            principal_id=to,
            principal_type=kind,
            skip_service_principal_aad_check=True if kind == MACHINE else None,
            lifecycle=lifecycle,
        )
        # The trigger orders the wait after the assignment, and has a new assignment waited for again.
        spread = TimeSleep(self, "Spread", create_duration=SPREADING, triggers={"assignment": assignment.id})
        self.ready: tuple[ITerraformDependable, ...] = (assignment, spread)
