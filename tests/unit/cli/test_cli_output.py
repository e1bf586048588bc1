"""Tables are for programs in a pipe and for people on a terminal, and nothing in a cell can command either."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from aeterna.cli import output

if TYPE_CHECKING:
    import pytest

SNAPSHOT = "5238213837842781478" * 3
HOSTILE = "one\ttwo\nthree\x1b]0;title\x07"


def test_a_row_is_one_line_in_a_pipe_whatever_its_cells_hold(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("name", "value"), [("a", HOSTILE), ("b", "é")])

    assert capsys.readouterr().out == "a\tone\\ttwo\\nthree\\x1b]0;title\\x07\nb\té\n"


def test_a_terminal_gets_whole_ids_and_no_commands() -> None:
    """Half of a snapshot id is of no use, however narrow the terminal is."""
    rows = [(SNAPSHOT, ""), ("x", HOSTILE)]
    code = f"from aeterna.cli import output; output.table(('a', 'b'), {rows!r})"
    terminal, screen = os.openpty()

    subprocess.run(
        [sys.executable, "-P", "-c", code], env={**os.environ, "COLUMNS": "40"}, stdout=screen, check=True, timeout=60
    )
    os.close(screen)
    shown = os.read(terminal, 65536).decode().rpartition("\u2500")[2]
    os.close(terminal)

    assert "".join(filter(str.isdigit, shown)).startswith(SNAPSHOT)
    assert "\\x1b]" in shown
    assert "\x1b]" not in shown
