"""Moves the state of the first stack into the bucket that the stack made, where it is encrypted, in the real engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.synth.app import App, TerraformStack
from aeterna.synth.backends import LocalBackend, keep_beside
from aeterna.synth.encryption import StateKey, encrypt_state

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.tofu_engine import Engine, Workspace

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

KEY = StateKey(provider="pbkdf2", settings={"passphrase": "canary-correct-horse-battery", "iterations": 200_000})


def bootstrap(tofu: Engine, folder: Path, *, moved: bool) -> Workspace:
    """Write the stack, first with its state beside it, then with it elsewhere under a key."""
    app = App(outdir=str(folder))
    stack = TerraformStack(app, "bootstrap")
    AwsProvider(stack, "aws", region="eu-north-1")
    AwsVpc(stack, "Vpc", cidr_block="10.0.0.0/16")
    if moved:
        LocalBackend(stack, path="../bucket/bootstrap.tfstate")
        encrypt_state(stack, KEY)
    else:
        keep_beside(stack)
    app.synth()
    return tofu.workspace(folder / "stacks" / "bootstrap")


def applied(tofu: Engine, folder: Path) -> Workspace:
    workspace = bootstrap(tofu, folder, moved=False)
    workspace.init()
    workspace.plan()
    workspace.apply()
    return workspace


def test_the_first_state_is_pushed_to_where_it_is_encrypted(tofu: Engine, tmp_path: Path) -> None:
    plain = tmp_path / "bootstrap.json"
    plain.write_text(applied(tofu, tmp_path).must("state", "pull"))
    moved = bootstrap(tofu, tmp_path, moved=True)

    moved.must("init", "-reconfigure", "-no-color")
    moved.must("state", "push", str(plain))

    written = json.loads((tmp_path / "stacks" / "bucket" / "bootstrap.tfstate").read_text())
    assert "encrypted_data" in written
    assert not moved.has_changes()


def test_the_engine_does_not_move_an_unencrypted_state_by_itself(tofu: Engine, tmp_path: Path) -> None:
    """Why it is pushed: what refuses an unencrypted state refuses the old one as well."""
    applied(tofu, tmp_path)
    moved = bootstrap(tofu, tmp_path, moved=True)

    outcome = moved.run("init", "-migrate-state", "-force-copy", "-no-color")

    assert not outcome.succeeded
    assert "unencrypted payload without unencrypted method" in outcome.output


def in_the_bucket(tofu: Engine, folder: Path) -> tuple[Workspace, Path]:
    """Return the stack with its state in the bucket, encrypted, and that state."""
    plain = folder / "bootstrap.json"
    plain.write_text(applied(tofu, folder).must("state", "pull"))
    workspace = bootstrap(tofu, folder, moved=True)
    workspace.must("init", "-reconfigure", "-no-color")
    workspace.must("state", "push", str(plain))
    return workspace, folder / "stacks" / "bucket" / "bootstrap.tfstate"


def test_an_encrypted_state_that_could_not_be_saved_is_read_as_a_local_one_first(tofu: Engine, tmp_path: Path) -> None:
    """The engine says to push ``errored.tfstate``, and then refuses it where it is encrypted."""
    workspace, state = in_the_bucket(tofu, tmp_path)
    errored = workspace.folder / "errored.tfstate"
    state.rename(errored)
    pushed = workspace.run("state", "push", "errored.tfstate")
    local = {"terraform": {"backend": {"local": {"path": "errored.tfstate"}}}}
    override = workspace.folder / "errored_override.tf.json"

    override.write_text(json.dumps(local))
    workspace.must("init", "-reconfigure", "-no-color")
    plain = tmp_path / "errored.json"
    plain.write_text(workspace.must("state", "pull"))
    override.unlink()
    workspace.must("init", "-reconfigure", "-no-color")
    workspace.must("state", "push", str(plain))

    assert not pushed.succeeded
    assert "encrypted" in pushed.output
    assert not workspace.has_changes()
