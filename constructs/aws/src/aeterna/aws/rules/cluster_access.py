"""Access to a cluster is written down: in access entries, and not in a map inside it or by who happened to make it."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import FALSE, one_of

SETTINGS: Final = {
    "aws_eks_cluster": (
        Setting(path="access_config.authentication_mode", wants=one_of("API", weaker="CONFIG_MAP")),
        Setting(path="access_config.bootstrap_cluster_creator_admin_permissions", wants=FALSE),
    ),
}

RULE = Rule(
    id="aws-cluster-access",
    title="Who may use a cluster is written down in access entries",
    reason="One wrong edit of the map inside the cluster locks everybody out, and its maker stays administrator.",
    controls=Controls(cis=("6.1", "6.8"), nist=("AC-2", "AC-3", "AC-6"), soc2=("CC6.1", "CC6.2")),
    settings=SETTINGS,
)
