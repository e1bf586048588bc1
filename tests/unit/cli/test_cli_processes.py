"""Processes are told apart from later ones of the same id, and stopped within a bound."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from aeterna.cli.local.processes import ProcessRecord, spawn, start_mark, stop, tail

if TYPE_CHECKING:
    from pathlib import Path

PATIENT = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
DEAF = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()",
]


def started(command: list[str], log: Path) -> ProcessRecord:
    process = spawn(command, {}, log)
    while "up" not in tail(log):
        assert process.alive
    return process


def test_a_process_is_known_by_its_start_and_not_by_its_id_alone() -> None:
    ours = ProcessRecord(pid=os.getpid(), mark=start_mark(os.getpid()) or "")
    recycled = ProcessRecord(pid=os.getpid(), mark="another-boot:17")

    assert (ours.alive, recycled.alive) == (True, False)


def test_a_process_that_listens_ends_by_itself(tmp_path: Path) -> None:
    process = started(PATIENT, tmp_path / "log")

    assert stop(process, signal.SIGTERM, patience=10)
    assert not process.alive


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    process = started(DEAF, tmp_path / "log")

    assert not stop(process, signal.SIGTERM, patience=0.2)
    assert not process.alive


def test_a_child_that_has_ended_is_not_alive(tmp_path: Path) -> None:
    """It is a zombie until somebody asks for its status."""
    process = spawn([sys.executable, "-c", ""], {}, tmp_path / "log")

    while process.alive:
        pass
    assert start_mark(process.pid) is None


def test_a_large_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "graph.log"
    log.write_bytes(b"x" * (11 * 1024 * 1024))

    stop(started(PATIENT, log), signal.SIGTERM, patience=10)

    assert (log.read_text(), (tmp_path / "graph.log.1").stat().st_size) == ("up\n", 11 * 1024 * 1024)


def test_only_the_end_of_a_log_is_shown(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n".join(str(number) for number in range(100)))

    assert tail(tmp_path / "log", lines=2) == "98\n99"
    assert tail(tmp_path / "missing") == ""
