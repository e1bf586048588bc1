"""What a local runtime remembers between commands: its ports and its processes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, cast

from aeterna.cli.local.processes import ProcessRecord
from aeterna.cli.local.state_dir import write_private

if TYPE_CHECKING:
    from aeterna.cli.local.state_dir import StateDir

VERSION = 1
PORTS = ("graph", "threads", "policy", "policies")
"""The parts that listen, in the order of their ports."""


@dataclass(slots=True, kw_only=True)
class Record:
    """Ports are kept after the runtime has stopped, so that its addresses stay the same."""

    base_port: int | None = None
    processes: dict[str, ProcessRecord] = field(default_factory=dict[str, ProcessRecord])

    @classmethod
    def read(cls, state: StateDir) -> Record:
        """Return what the folder remembers; nothing when it remembers nothing that can be read."""
        try:
            kept: object = json.loads(state.record.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return cls()
        if not isinstance(kept, dict):
            return cls()
        fields = cast("dict[str, object]", kept)  # JSON objects have string keys
        base, processes = fields.get("base_port"), fields.get("processes")
        if fields.get("version") != VERSION or not isinstance(base, int) or not isinstance(processes, dict):
            return cls()
        found = cast("dict[str, dict[str, object]]", processes)  # written by `write`, of the same version
        return cls(
            base_port=base,
            processes={
                name: ProcessRecord(pid=int(str(process["pid"])), mark=str(process["mark"]))
                for name, process in found.items()
            },
        )

    def write(self, state: StateDir) -> None:
        """Remember this; read again after a crash, it is this or what was before."""
        document = {
            "version": VERSION,
            "base_port": self.base_port,
            "processes": {name: asdict(process) for name, process in self.processes.items()},
        }
        write_private(state.record, json.dumps(document, indent=2) + "\n")

    def alive(self, part: str) -> bool:
        """Return whether a part's process runs."""
        return part in self.processes and self.processes[part].alive

    def url(self, part: str) -> str:
        """Return where a part answers."""
        if self.base_port is None:
            message = "ports are chosen before addresses are asked for"
            raise ValueError(message)
        return f"http://127.0.0.1:{self.base_port + PORTS.index(part)}"
