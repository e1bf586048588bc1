"""Synthesizes critical foundations: what `bench_synth` measures.

usage: critical_foundations.py FOLDER CLOUDS [TIMES [unguarded]]

FOLDER is the output's, CLOUDS are names joined by commas, TIMES is how many of each.
"""

from __future__ import annotations

import sys

from aeterna.contracts.foundation import FoundationSpec
from aeterna.contracts.sizes import Size
from aeterna.stacks.foundation import Foundation
from aeterna.synth.app import App
from aeterna.synth.registry import cloud

REGIONS = {
    "aws": ("eu-west-1", "eu-central-1"),
    "azure": ("westeurope", "northeurope"),
    "gcp": ("europe-west4", "europe-west3"),
}


def main(folder: str, clouds: str, times: str = "1", guarded: str = "guarded") -> None:
    """Write every stack of every foundation in one synthesis."""
    app = App(outdir=folder)
    for name in clouds.split(","):
        region, second = REGIONS[name]
        for number in range(int(times)):
            environment = f"p{number}"
            spec = FoundationSpec(
                name=environment, region=region, owner="acme", size=Size.CRITICAL, recovery_region=second
            )
            Foundation(app, f"{name}-{environment}", cloud=cloud(name), spec=spec, guarded=guarded == "guarded")
    app.synth()


if __name__ == "__main__":
    main(*sys.argv[1:])
