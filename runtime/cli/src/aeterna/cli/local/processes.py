"""Starts processes that outlive this one, recognises them later, and stops them.

A process id alone proves nothing: ids are reused, at the latest after a reboot. A record therefore also holds the
boot and the moment at which the kernel started the process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POLL = 0.02
LARGE_LOG = 10 * 1024 * 1024
TAIL = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """One process, told apart from any later one of the same id."""

    pid: int
    mark: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return start_mark(self.pid) == self.mark


def spawn(command: Sequence[str], environment: Mapping[str, str], log: Path) -> ProcessRecord:
    """Start a process of its own session, so that Ctrl-C and a closed terminal do not reach it."""
    if log.exists() and log.stat().st_size > LARGE_LOG:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the command is composed by us, without a shell
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    # The record is what knows the process from here on; Popen would complain that nobody waited for it.
    process.returncode = 0
    return ProcessRecord(pid=process.pid, mark=start_mark(process.pid) or "")


def start_mark(pid: int) -> str | None:
    """Return what identifies the process of this id, or None when there is none or it has ended."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that has ended is a zombie until somebody asks
    return _linux_mark(pid) if sys.platform == "linux" else _ps_mark(pid)


def stop(record: ProcessRecord, how: signal.Signals, patience: float) -> bool:
    """Ask the process to end, and kill it when it has not after ``patience`` seconds; return whether it went itself."""
    if not record.alive:
        return True
    with suppress(ProcessLookupError):
        os.kill(record.pid, how)
    if _gone(record, patience):
        return True
    with suppress(ProcessLookupError):
        os.kill(record.pid, signal.SIGKILL)
    _gone(record, patience)
    return False


def tail(log: Path, lines: int = TAIL) -> str:
    """Return the last lines of a log."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _gone(record: ProcessRecord, patience: float) -> bool:
    latest = time.monotonic() + patience
    while time.monotonic() < latest:
        if not record.alive:
            return True
        time.sleep(POLL)
    return not record.alive


def _linux_mark(pid: int) -> str | None:
    """Read ``/proc/PID/stat`` (proc(5)): after the name in parentheses, field 3 is the state and 22 the start."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in {"Z", "X"} else f"{boot}:{fields[19]}"


def _ps_mark(pid: int) -> str | None:
    asked = subprocess.run(  # noqa: S603 - a fixed program and a number
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = asked.stdout.strip().partition(" ")
    return None if asked.returncode or state.startswith("Z") else started.strip()
