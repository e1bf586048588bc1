"""Stays with a runtime that was started in the foreground: until Ctrl-C, until a part dies, or until it is stopped."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from aeterna.cli.errors import DONE, PartFailedError
from aeterna.cli.local.parts import ORDER, TITLES
from aeterna.cli.local.processes import tail
from aeterna.cli.local.record import Record

if TYPE_CHECKING:
    from types import FrameType

    from aeterna.cli.local.runtime import LocalRuntime
    from aeterna.cli.local.state_dir import StateDir
    from aeterna.cli.progress import Progress

LOOK = 0.5
"""Seconds between two looks at the processes."""


def attend(runtime: LocalRuntime, state: StateDir, progress: Progress) -> int:
    """Wait, then stop every part; raise `PartFailedError` when one died by itself."""
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)
    progress.line(f"Attached: Ctrl-C stops everything. The logs are in {state.root / 'logs'}")
    while not asked.wait(LOOK):
        if all(runtime.record.alive(part) for part in ORDER):
            continue
        # Another command may be stopping or repairing the runtime: only under the lock is the record the truth.
        with state.locked(lambda: None):
            runtime.record = Record.read(state)
            if not runtime.record.processes:
                progress.line("Stopped by another command.")
                return DONE
            dead = next((part for part in ORDER if not runtime.record.alive(part)), None)
            if dead is not None:
                runtime.stop()
                happened, log = "died, so everything was stopped", state.log(dead)
                raise PartFailedError(TITLES[dead], happened, log, tail(log))
    progress.line("Stopping …")
    with state.locked(lambda: None):
        runtime.stop()
    progress.line("Stopped.")
    return DONE
