"""No pod shares the network or the processes of its machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.platform.rules._pods import known, of_pods
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.subject import Mark, as_flag

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Pod


SHARED: Final = ("host_network", "host_pid", "host_ipc")


def _wrong(pod: Pod) -> str | None:
    shared = [name for name in SHARED if as_flag(known(pod.said, name)) is True]
    if shared:
        return f"its pods share what is the machine's; remove {', '.join(f'`{name}`' for name in shared)}"
    for container in pod.containers():
        ports = [
            port for port in container.said.values("port?.host_port") if port not in (Mark.ABSENT, Mark.UNKNOWN, 0)
        ]
        if ports:
            return f"container {container.name} takes a port of the machine; remove `host_port`"
    return None


RULE = Rule(
    id="pod-host-namespaces",
    title="No pod shares the network, the processes or the ports of its machine",
    reason="It hears what others of the machine say, and no network policy holds for it.",
    controls=Controls(cis=("4.4", "13.4"), nist=("AC-4", "SC-7", "SC-39"), soc2=("CC6.1", "CC6.6")),
    check=of_pods(_wrong),
)
