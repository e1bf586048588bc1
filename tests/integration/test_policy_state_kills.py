"""A keeper that is killed at any step of a publication leaves the old bundle in force or the new, and every epoch."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from aeterna.policy.adapters.state_folder import StateFolder

PROGRAM = Path(__file__).parents[1] / "fixtures" / "state_kills.py"
MOST_STEPS = 40


def found(folder: Path) -> tuple[int, str]:
    """Return epoch and text of what a new process finds in force."""
    kept = StateFolder(folder, clock=time.time)
    kept.claim()
    current = kept.current()
    assert current is not None
    text = kept.bundle(current).policies["a.cedar"]
    kept.close()
    return current.epoch, text


def test_a_kill_at_any_step_leaves_the_old_or_the_new_bundle(tmp_path: Path) -> None:
    """Each publication is killed one step later than the last, until one lives."""
    folder = tmp_path / "state"
    with subprocess.Popen(
        [sys.executable, "-P", PROGRAM, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None

        def publish(text: str, last: int) -> str:
            assert program.stdin is not None
            assert program.stdout is not None
            program.stdin.write(f"{text} {last}\n")
            program.stdin.flush()
            return program.stdout.readline().strip()

        assert publish("first", 0) == "1"
        epoch, text = found(folder)
        outcomes: list[str] = []
        for last in range(1, MOST_STEPS):
            outcomes.append(publish(f"text-{last}", last))
            after = found(folder)
            assert after[1] in {text, f"text-{last}"}
            assert after[0] > epoch or after == (epoch, text)
            epoch, text = after
            if outcomes[-1] != "killed":
                break
        program.stdin.close()

    assert outcomes.count("killed") == len(outcomes) - 1 >= 10
    assert (epoch, text) == (int(outcomes[-1]), f"text-{len(outcomes)}")
