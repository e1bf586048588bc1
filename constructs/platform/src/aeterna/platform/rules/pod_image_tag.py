"""Every image is the one that was tested: by its digest, or by a tag that does not move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.platform.rules._pods import of_containers
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.subject import Mark

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Container, Pod


MOVING: Final = frozenset({"", "latest", "main", "master", "edge", "nightly", "stable"})


def _wrong(_pod: Pod, container: Container) -> str | None:
    image = container.said.value("image")
    if not isinstance(image, str) or image is Mark.ABSENT:
        return "names no image; set `image`"
    if "@sha256:" in image:
        return None
    # The registry may be known only at apply; what stands after the last slash is not.
    tag = image.rpartition("/")[2].partition(":")[2]
    if tag in MOVING and not image.endswith("}"):
        return f"runs whatever {image} is today; name a tag that does not move, or a digest"
    return None


RULE = Rule(
    id="pod-image-tag",
    title="Every image is named by a digest, or by a tag that does not move",
    reason="Two pods of one release run different programs, and nobody can go back.",
    controls=Controls(cis=("2.5", "16.11"), nist=("CM-2", "CM-5", "SI-7"), soc2=("CC6.8", "CC8.1")),
    check=of_containers(_wrong),
)
