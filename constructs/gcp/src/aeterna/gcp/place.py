"""Where a stack is being applied: the project, asked of the provider, one region, and the services switched on."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.late import Late
from aeterna.contracts.place import PlaceOutputs
from aeterna.gcp.l1.data_compute_zones import DataGoogleComputeZones
from aeterna.gcp.l1.data_project import DataGoogleProject
from aeterna.gcp.regions import require_region
from aeterna.gcp.services import Services
from aeterna.synth.app import TerraformStack
from aeterna.synth.errors import SynthesisError
from aeterna.synth.expressions import Fn
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.synth._cdk import ITerraformDependable

ORDINARY_ZONE = "[a-z]+-[a-z]+[0-9]+-[a-z]/"
"""A zone such as ``us-central1-a``; not one for machine learning alone, such as ``us-central1-ai1a``."""


@names_itself
class GcpPlace(Construct):
    """The project of the provider that this stack uses, and one region of it.

    The region is written down, because names and keys have to agree with it at synthesis; what others are told of it
    comes from Compute Engine's own list of zones, so that one that the project cannot use fails when it is planned.
    ``labels`` are the provider's default ones, for the few resources that the provider does not put them onto.
    """

    def __init__(
        self, scope: Construct, id_: str, *, region: str, labels: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__(scope, id_)
        self.labels = labels
        require_region("GcpPlace", "region", region)
        self.region = region
        self._services = Services(self, "Services")
        project = DataGoogleProject(self, "Project")
        self.project = Late(Fn.trimprefix(project.id, "projects/"))
        self.number = Late(project.number)
        # Those that are down are listed as well: an outage must not move what was placed in three zones.
        zones = DataGoogleComputeZones(self, "Zones", region=region, depends_on=[self._services.enabled("compute")])
        self._zones = zones
        self.outputs = PlaceOutputs(account=self.project, region=Late(Fn.basename(zones.id)))

    @classmethod
    def of(cls, scope: Construct) -> GcpPlace:
        """Return the place of the scope's stack. Raises `SynthesisError` where there is none."""
        stack = TerraformStack.of(scope)
        for child in stack.node.children:
            if isinstance(child, GcpPlace):
                return child
        problem = f"the stack {stack.node.id!r} has no GcpPlace; prepare the stack, or make one directly below it"
        raise SynthesisError(problem)

    def service(self, api: str) -> ITerraformDependable:
        """Switch on a service, such as ``sqladmin``, once a stack, and return what its first user has to wait for."""
        return self._services.enabled(api)

    def zone(self, index: int) -> Late:
        """Return the name of one of the region's zones, which Compute Engine lists in alphabetical order."""
        listed = Fn.format("%s/", [Fn.join("/", self._zones.names)])
        ordinary = Fn.coalescelist([Fn.regexall(ORDINARY_ZONE, listed), self._zones.names])
        return Late(Fn.trimsuffix(Fn.element(ordinary, index), "/"))

    def zone_named(self, name: str) -> Late:
        """Return the name of a zone as Compute Engine lists it; one that is not listed fails when it is planned."""
        listed = Fn.setintersection(self._zones.names, [[name]])
        return Late(Fn.element(Fn.tolist(listed), 0))
