"""Every container that serves says whether it is alive and whether it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.platform.rules._pods import LASTING, known, of_containers
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.subject import Mark

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Container, Pod


PROBES: Final = ("liveness_probe", "readiness_probe")


def _wrong(pod: Pod, container: Container) -> str | None:
    if pod.subject.type not in LASTING or container.starts_first:
        return None
    missing = [name for name in PROBES if known(container.said, name) in (Mark.ABSENT, [], {})]
    return f"does not say how it is; set {', '.join(f'`{name}`' for name in missing)}" if missing else None


RULE = Rule(
    id="pod-probes",
    title="Every container that serves says whether it is alive and whether it is ready",
    reason="Requests go to one that cannot answer, and one that hangs hangs for ever.",
    controls=Controls(cis=("4.1",), nist=("CP-10", "SI-13"), soc2=("A1.2",)),
    check=of_containers(_wrong),
)
