"""A chart of this distribution, released into the cluster: custom resources that no plan could check without a cluster.

``kubernetes_manifest`` asks the API server for the form of a custom resource while it plans, so that the first plan of
a new cluster fails. A chart is only rendered when it is applied.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from constructs import Construct

from aeterna.platform.l1.helm.release import HelmRelease
from aeterna.platform.names import INSTANCE, MANAGED_BY, PART_OF
from aeterna.synth.app import TerraformAsset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.contracts.late import Late
    from aeterna.contracts.platform import PlatformSpec
    from aeterna.synth._cdk import ITerraformDependable

CHARTS: Final = Path(__file__).parent / "charts"
TIMEOUT_SECONDS: Final = 300


class ChartRelease(Construct):
    """A release of one of the charts. The chart is copied beside the stack, so that whoever applies needs nothing else.

    - ``values`` are what the chart's ``values.schema.json`` says, and never hold a secret.
    - ``namespace`` is the attribute of its resource, so that the release comes after it and goes before it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        chart: str,
        *,
        namespace: Late,
        values: Mapping[str, Any],
        after: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id_)
        asset = TerraformAsset(self, "Chart", path=str(CHARTS / chart))
        self.resource = HelmRelease(
            self,
            "Resource",
            name=f"aeterna-{chart}",
            chart=f"${{path.module}}/{asset.path}",
            namespace=namespace,
            values=[json.dumps(values, indent=1, sort_keys=True)],
            create_namespace=False,
            # One that fails is taken back whole, and the next apply begins from what worked.
            atomic=True,
            cleanup_on_fail=True,
            wait=True,
            timeout=TIMEOUT_SECONDS,
            max_history=10,
            depends_on=[*after],
        )


def chart_labels(spec: PlatformSpec) -> dict[str, str]:
    """Return the labels of everything that a chart makes."""
    return {**spec.labels, INSTANCE: spec.name, PART_OF: "aeterna", MANAGED_BY: "Helm"}
