"""The command line that customers use gives the same stacks as our own, with neither a network nor terraform."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.fix_cdktf_cli import node_path

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[2]


def synthesize(cli: Path, output: Path, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `cdktf synth` on the repository, where any request to the network fails at once."""
    nowhere = "http://127.0.0.1:9"
    environment = {
        "PATH": node_path(),
        "HOME": str(home),
        "CHECKPOINT_DISABLE": "1",
        "CI": "1",
        "TERRAFORM_BINARY_NAME": "no-terraform-here",
        "HTTPS_PROXY": nowhere,
        "HTTP_PROXY": nowhere,
        **variables,
    }
    return subprocess.run(
        [cli, "synth", "--output", output], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def stacks(folder: Path) -> Mapping[str, Any]:
    """Return every stack in an output folder."""
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("stacks/*/cdk.tf.json"))}


def test_the_cdks_command_line_writes_the_same_stacks(
    cdktf_cli: Path, synthesized_examples: Path, tmp_path: Path
) -> None:
    done = synthesize(cdktf_cli, tmp_path / "cdktf.out", tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert stacks(tmp_path / "cdktf.out") == stacks(synthesized_examples)
    assert stacks(synthesized_examples)


def test_an_app_that_fails_fails_the_command_line(cdktf_cli: Path, tmp_path: Path) -> None:
    """The comparison above would be worthless if a failed synthesis left the last one's output and status 0."""
    done = synthesize(cdktf_cli, tmp_path / "cdktf.out", tmp_path, PYTHONHOME="/nowhere")

    assert done.returncode != 0


def test_the_command_line_is_pinned() -> None:
    """Its output is compared with ours, so another version is a decision and not an accident."""
    declared = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert declared == {"cdktf-cli": "0.21.0"}
    assert locked["node_modules/cdktf-cli"]["version"] == "0.21.0"


def test_the_lock_file_names_no_registry() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert [name for name, package in locked.items() if "resolved" in package] == []
    # What is bundled inside another package is covered by that package's hash.
    assert [name for name, package in locked.items() if name and not package.keys() & {"integrity", "inBundle"}] == []
