"""One platform on two clouds: the same spec but for the region, so that a move from one to the other is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.azure.cloud import AZURE
from aeterna.contracts.foundation import FoundationSpec
from aeterna.contracts.sizes import Size
from aeterna.gcp.cloud import GCP
from aeterna.stacks.foundation import Foundation

if TYPE_CHECKING:
    from constructs import Construct

    from aeterna.synth.registry import AnyCloud

REGIONS: tuple[tuple[AnyCloud, str], ...] = ((AZURE, "westeurope"), (GCP, "europe-west4"))


def two_clouds(app: Construct) -> dict[str, Foundation]:
    """Compose an environment for trying out on each cloud, by the cloud's name."""
    return {
        cloud.name: Foundation(
            app,
            f"trial-{cloud.name}",
            cloud=cloud,
            spec=FoundationSpec(name="trial", region=region, owner="acme", size=Size.DEV),
        )
        for cloud, region in REGIONS
    }
