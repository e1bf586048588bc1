"""What is left of a table when the process that worked on it is killed at any of its steps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM: Final = Path(__file__).parents[1] / "fixtures" / "graph_kills.py"
# Of each task every step is tried, of an erasure (hundreds of them) every fourth. At least so many kills there must be
# of each.
LEAST_KILLS: Final = {"commit": 18, "compact": 45, "merge": 42, "expire": 8, "collect": 18, "erase": 60}
MOST_KILLS: Final = 70  # an erasure looks at what earlier kills left, so it has the more steps the more there were
STRIDE: Final = {"erase": 4}


class Kills:
    """The program that forks, works and is killed."""

    def __init__(self, folder: Path) -> None:
        program = [sys.executable, "-P", str(PROGRAM), str(folder)]
        self._process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, task: str, step: int = 0) -> str:
        """Let a child do a task up to a step, or to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{task} {step}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """Let the program end."""
        self._process.communicate()


@pytest.fixture
def kills(tmp_path: Path) -> Iterator[Kills]:
    program = Kills(tmp_path)
    yield program
    program.close()


@pytest.mark.slow
@pytest.mark.parametrize("task", LEAST_KILLS)
def test_a_kill_at_any_step_leaves_a_readable_table_with_every_acknowledged_session(kills: Kills, task: str) -> None:
    """Each kill meets what the ones before it left; at the end a collection leaves exactly what the table names."""
    count, step = 0, 1
    while (said := kills.ask(task, step if count < MOST_KILLS else 0)) == "killed":
        assert json.loads(kills.ask("verify")) == [], f"after a kill at step {step} of {task}"
        count, step = count + 1, step + STRIDE.get(task, 1)

    assert "steps" in said, said
    assert json.loads(kills.ask("verify")) == []
    assert count >= LEAST_KILLS[task]
    orphans = json.loads(kills.ask("leftovers"))
    kills.ask("collect")
    left = json.loads(kills.ask("leftovers"))
    assert orphans["unreachable"] > 0 or task == "collect"  # of which the last one, that lived, left none
    assert (left["unreachable"], left["files"]) == (0, left["reachable"])
