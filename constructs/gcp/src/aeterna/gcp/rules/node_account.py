"""Nodes run as an account of their own, and not as the one that may edit the whole project."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import matching

OWN: Final = matching(
    r"(?!default$)(?!.*-compute@developer\.gserviceaccount\.com$).+",
    words="an account made for them",
    right="nodes@project.iam.gserviceaccount.com",
    weaker="default",
)

SETTINGS: Final = {
    "google_container_node_pool": (Setting(path="node_config.service_account", wants=OWN),),
    "google_compute_instance": (Setting(path="service_account?.email", wants=OWN),),
    "google_compute_instance_template": (Setting(path="service_account?.email", wants=OWN),),
}

RULE = Rule(
    id="gcp-node-account",
    title="Nodes run as an account of their own",
    reason="The default account of a project may edit most of it, and so may every node.",
    controls=Controls(cis=("5.4", "6.8"), nist=("AC-6", "AC-6(5)"), soc2=("CC6.3",)),
    settings=SETTINGS,
)
