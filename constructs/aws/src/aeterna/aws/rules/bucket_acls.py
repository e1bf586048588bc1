"""Access lists of objects are switched off: the bucket's owner owns what others write into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.facts import Companion, Setting
from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.wanted import one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory

SETTINGS: Final = {
    "aws_s3_bucket": (
        Setting(
            path="rule.object_ownership",
            wants=one_of("BucketOwnerEnforced", weaker="ObjectWriter"),
            on=Companion(type="aws_s3_bucket_ownership_controls", by="bucket"),
        ),
    )
}


def _listed(inventory: Inventory) -> Iterator[Breach]:
    for acl in inventory.of("aws_s3_bucket_acl"):
        yield Breach(subject=acl, sentence="an access list goes around the bucket's policy; remove it")


RULE = Rule(
    id="aws-bucket-acls",
    title="Access lists of objects are switched off",
    reason="Whoever writes an object could otherwise let others read it, whatever the bucket's policy says.",
    controls=Controls(cis=("3.3",), nist=("AC-3", "AC-6"), soc2=("CC6.1", "CC6.3")),
    settings=SETTINGS,
    check=_listed,
)
