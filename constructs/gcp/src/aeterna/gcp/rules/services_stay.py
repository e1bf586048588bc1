"""A service of the project stays on when the stack that switched it on is destroyed."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import FALSE

SETTINGS: Final = {
    "google_project_service": (Setting(path="disable_on_destroy", wants=FALSE, absent_is_right=True),),
}

RULE = Rule(
    id="gcp-services-stay",
    title="A service stays on when its stack goes",
    reason="Switched off, it takes away what every other stack of the project made with it.",
    controls=Controls(cis=("4.1", "11.1"), nist=("CM-3", "CP-2"), soc2=("A1.2", "CC8.1")),
    settings=SETTINGS,
)
