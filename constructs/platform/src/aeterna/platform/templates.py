"""The template of the platform's own pods, as Kubernetes has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aeterna.contracts.injection import Wish, merged, parts
from aeterna.contracts.injection.names import STATUS
from aeterna.contracts.injection.pod import part_of
from aeterna.platform.hardening import POD
from aeterna.platform.names import labels
from aeterna.platform.program import Program

if TYPE_CHECKING:
    from aeterna.platform.pods import Json
    from aeterna.platform.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class PodTemplate:
    """What pods of one kind are made from.

    - ``name`` and ``component`` are in their labels, ``account`` is their service account.
    - ``decides`` gives them the policy sidecar, by the same definition that agents' pods get it by.
    - ``grace`` is how many seconds they have to stop; the sidecars stop after the containers, within the same time.
    - ``digest`` changes with the files that are mounted, so that pods are replaced when those change.
    - ``more`` is put into the spec beside what all pods have.
    """

    name: str
    component: str
    account: str
    programs: tuple[Program, ...]
    priority: str
    grace: int
    decides: bool = False
    digest: str | None = None
    more: Mapping[str, object] = field(default_factory=dict[str, object])

    def document(self, site: Site) -> Json:
        """Return the template."""
        identity = site.identity(self.account)
        sidecars = [program.document() for program in self.programs if program.sidecar]
        pod: Json = {
            "metadata": {
                "labels": {
                    **labels(self.name, self.component, site.spec),
                    **({} if identity is None else identity.pod_labels),
                },
                "annotations": {} if self.digest is None else {"aeterna.io/config": self.digest},
            },
            "spec": {
                "serviceAccountName": self.account,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "priorityClassName": self.priority,
                "securityContext": POD,
                "terminationGracePeriodSeconds": self.grace,
                **({"initContainers": sidecars} if sidecars else {}),
                "containers": [program.document() for program in self.programs if not program.sidecar],
                "volumes": _volumes(self.programs),
                **self.more,
            },
        }
        return _deciding(pod, site) if self.decides else pod


def _volumes(programs: Sequence[Program]) -> list[Json]:
    return list({each.name: each.volume() for program in programs for each in program.mounts}.values())


def _deciding(pod: Json, site: Site) -> Json:
    """Return the pod with the policy sidecar.

    A service is told by its own settings what an agent is told by the injection's variables. It passes no injector, so
    that nobody compares a digest.
    """
    given = merged(pod, replace(parts(Wish(policy=True), site.installation(), tenant=None), env=()))
    metadata = part_of(given, "metadata")
    annotations = {name: value for name, value in part_of(metadata, "annotations").items() if name != STATUS}
    return {**given, "metadata": {**metadata, "annotations": annotations}}
