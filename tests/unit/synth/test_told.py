"""What constructs warn of is told by every way to synthesize, not only by the CDK's command line."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from aeterna.synth.app import Annotations, App, TerraformStack

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

DISOBEYED = """
from aeterna.synth.app import Annotations, App, TerraformStack
app = App(outdir={outdir!r})
Annotations.of(TerraformStack(app, "shop")).add_error("the door is open")
app.synth()
"""


def test_a_warning_is_told_with_the_constructs_path(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = App(outdir=str(tmp_path))
    Annotations.of(TerraformStack(app, "shop")).add_warning("the door is narrow")

    app.synth()

    assert caplog.messages == ["warning: [shop] the door is narrow"]


def test_an_error_that_the_environment_lets_pass_is_told_all_the_same(tmp_path: Path) -> None:
    """The engine has a switch for it; whoever reads the log of a pipeline has to see that it was used."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", DISOBEYED.format(outdir=str(tmp_path))],
        env={"PATH": "/usr/bin:/bin", "CDKTF_CONTINUE_SYNTH_ON_ERROR_ANNOTATIONS": "true"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "error, and written all the same: [shop] the door is open" in done.stderr
