"""An agent beside the local runtime: one command gives its process everything that it reads."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aeterna.a2a.settings import AgentSettings
from aeterna.cli.local.processes import ProcessRecord
from aeterna.cli.local.record import Record
from aeterna.cli.local.state_dir import StateDir
from aeterna.cli.local.tokens import Signer
from aeterna.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """Return the folder of a runtime that runs."""
    folder = StateDir(tmp_path / "a state")
    folder.make()
    Signer.of(folder)
    record = Record.read(folder)
    record.base_port = 8180
    record.processes["threads"] = ProcessRecord(pid=os.getpid(), mark="this one")
    record.write(folder)
    return folder


def test_the_kit_reads_what_a_shell_was_told(state: StateDir, capsys: pytest.CaptureFixture[str]) -> None:
    """And it lacks nothing: the settings of the kit are made from these variables alone."""
    assert run(["token", "--agent", "helper", "--env", "--state-dir", str(state.root)]) == 0
    program = "from aeterna.a2a.settings import AgentSettings as S; s = S(); print(s.token_file.read_text())"

    started = subprocess.run(
        ["/bin/sh", "-c", f'{capsys.readouterr().out}\nexec "$0" -P -c "$1"', sys.executable, program],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
        check=False,
    )

    assert started.returncode == 0, started.stderr
    assert started.stdout.startswith("eyJ")
    assert {"threads_url", "token_file"} <= set(AgentSettings.model_fields)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--env"], 2, "name it with --agent"),
        (["--agent", "../helper", "--env"], 1, "cannot be the name of a file"),
    ],
)
def test_what_cannot_be_is_said(
    state: StateDir, arguments: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["token", *arguments, "--state-dir", str(state.root)]) == status
    assert said in capsys.readouterr().err
