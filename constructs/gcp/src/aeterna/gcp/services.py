"""Switches on the services of Google Cloud that a stack uses: in a new project, almost all are off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.gcp.l1.project_service import GoogleProjectService
from aeterna.gcp.waiting import SWITCHED_ON, settled

if TYPE_CHECKING:
    from aeterna.synth._cdk import ITerraformDependable


class Services(Construct):
    """The services of one project that one stack uses.

    None is switched off when the stack is destroyed: others in the project may use it, and switching it off deletes
    what they made. Each stack switches on what it uses itself; doing so twice changes nothing.
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self._enabled: dict[str, ITerraformDependable] = {}

    def enabled(self, api: str) -> ITerraformDependable:
        """Switch on the service ``<api>.googleapis.com``, and return what waits until it answers."""
        if api not in self._enabled:
            service = GoogleProjectService(self, api, service=f"{api}.googleapis.com", disable_on_destroy=False)
            self._enabled[api] = settled(self, f"{api}-answers", after=[service], seconds=SWITCHED_ON)
        return self._enabled[api]
