"""What has to be in the platform's namespace before any of its pods can start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.platform.database import DatabaseTrust
from aeterna.platform.digest import digest_of
from aeterna.platform.l1.kubernetes.config_map_v1 import KubernetesConfigMapV1
from aeterna.platform.metadata import metadata
from aeterna.platform.names import CACHE_TRUST, WORKLOADS_CONFIG, WORKLOADS_FILE
from aeterna.platform.priorities import Priorities
from aeterna.platform.relay import FILE

if TYPE_CHECKING:
    from aeterna.platform.l1.kubernetes.namespace_v1 import KubernetesNamespaceV1
    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable


class Ground(Construct):
    """The classes of priority, the document of workloads, and what proves the stores.

    ``digest`` changes with what services read only when they start. The document of workloads is read again when it
    changes, so that a new tenant restarts nothing.
    """

    def __init__(self, scope: Construct, id_: str, site: Site, *, namespace: KubernetesNamespaceV1) -> None:
        super().__init__(scope, id_)
        priorities = Priorities(self, "Priorities", site)
        workloads = KubernetesConfigMapV1(
            self,
            "Workloads",
            metadata=metadata(WORKLOADS_CONFIG, "configuration", site),
            data={WORKLOADS_FILE: site.spec.workloads().document()},
            depends_on=[namespace],
        )
        database = DatabaseTrust(self, "Database", site, after=[namespace])
        self.digest = digest_of(database.config_map)
        self.ready: list[ITerraformDependable] = [namespace, *priorities.ready, workloads, database.config_map]
        authority = site.foundation.cache.certificate_authority
        if site.spec.opal is not None and authority is not None:
            self.ready.append(
                KubernetesConfigMapV1(
                    self,
                    "Cache",
                    metadata=metadata(CACHE_TRUST, "configuration", site),
                    data={FILE: authority},
                    depends_on=[namespace],
                )
            )
