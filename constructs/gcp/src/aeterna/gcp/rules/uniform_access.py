"""A bucket decides by IAM alone: access lists of objects are switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.wanted import TRUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory

SETTINGS: Final = {"google_storage_bucket": (Setting(path="uniform_bucket_level_access", wants=TRUE),)}
LISTS: Final = (
    "google_storage_bucket_acl",
    "google_storage_bucket_access_control",
    "google_storage_default_object_acl",
    "google_storage_object_acl",
    "google_storage_object_access_control",
)


def _listed(inventory: Inventory) -> Iterator[Breach]:
    for terraform_type in LISTS:
        for access_list in inventory.of(terraform_type):
            yield Breach(subject=access_list, sentence="an access list goes around IAM; bind a role instead")


RULE = Rule(
    id="gcp-uniform-access",
    title="A bucket decides by IAM alone",
    reason="Whoever writes an object could share it, and no policy of the bucket would show it (CIS GCP 3.0, 5.2).",
    controls=Controls(cis=("3.3", "6.8"), nist=("AC-3", "AC-6"), soc2=("CC6.1", "CC6.3")),
    settings=SETTINGS,
    check=_listed,
)
