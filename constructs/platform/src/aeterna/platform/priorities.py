"""Which pods give way to which when a cluster is full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs import Construct

from aeterna.platform.l1.kubernetes.priority_class_v1 import KubernetesPriorityClassV1
from aeterna.platform.names import MANAGED_BY, PART_OF

if TYPE_CHECKING:
    from aeterna.platform.site import Site

ADMISSION: Final = "aeterna-admission"
SERVING: Final = "aeterna-serving"
JOBS: Final = "aeterna-jobs"

_CLASSES: Final = {
    ADMISSION: (1_100_000, "PreemptLowerPriority", "Without it no pod of an agent starts"),
    SERVING: (1_000_000, "PreemptLowerPriority", "What agents ask"),
    JOBS: (500_000, "Never", "Work that can wait, and never takes a place from what runs"),
}


class Priorities(Construct):
    """The platform's classes of priority, all above the pods of a cluster that say nothing, which have 0."""

    def __init__(self, scope: Construct, id_: str, site: Site) -> None:
        super().__init__(scope, id_)
        labels = {**site.spec.labels, PART_OF: "aeterna", MANAGED_BY: "cdktf"}
        self.ready = [
            KubernetesPriorityClassV1(
                self,
                name,
                metadata={"name": name, "labels": labels},
                value=value,
                description=description,
                global_default=False,
                preemption_policy=preemption,
            )
            for name, (value, preemption, description) in _CLASSES.items()
        ]
