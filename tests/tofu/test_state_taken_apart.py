"""Takes the state of a whole environment apart with the real engine, as ``docs/guide/stacks.md`` says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.aws.cloud import AWS
from aeterna.contracts.foundation import FoundationSpec
from aeterna.stacks.foundation import Foundation, compose
from aeterna.synth.app import App, TerraformStack
from aeterna.synth.backends import keep_beside

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.tofu_engine import Engine, Json, Workspace

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

REGION = "eu-west-1"
SPEC = FoundationSpec(name="prod", region=REGION, owner="acme", parts=frozenset())
HARMLESS = {("no-op",), ("create",), ("read",), ("update",)}


def whole(tofu: Engine, folder: Path) -> Workspace:
    """Return an applied environment in one stack, as a foundation of the first version was."""
    app = App(outdir=str(folder))
    stack = TerraformStack(app, "prod-eu")
    keep_beside(stack)
    place = AWS.prepare(stack, region=REGION, tags={"aeterna:environment": "prod"})
    compose(stack, AWS, SPEC, place=place)
    app.synth()
    workspace = tofu.workspace(folder / "stacks" / "prod-eu")
    workspace.init()
    workspace.plan()
    workspace.apply()
    return workspace


def layers(tofu: Engine, folder: Path) -> list[Workspace]:
    """Return the stacks of the same environment, none of which has a state yet."""
    app = App(outdir=str(folder))
    foundation = Foundation(app, "prod-eu", cloud=AWS, spec=SPEC)
    app.synth()
    return [tofu.workspace(folder / "stacks" / stack.node.id) for stack in foundation.stacks.values()]


def managed(workspace: Workspace) -> list[str]:
    """Return the addresses of everything that a stack's own configuration makes."""
    document: Json = json.loads((workspace.folder / "cdk.tf.json").read_text())
    return [f"{kind}.{name}" for kind, named in document["resource"].items() for name in named]


def test_an_environment_of_one_state_becomes_one_of_several_and_loses_nothing(tofu: Engine, tmp_path: Path) -> None:
    """No plan on the way destroys or replaces anything, and at the end nothing is left over."""
    old = whole(tofu, tmp_path / "old")
    state = tmp_path / "old" / "stacks" / "prod-eu.tfstate"
    kept = set(managed(old))

    for layer in layers(tofu, tmp_path / "new"):
        layer.init()
        mine = [address for address in managed(layer) if address in kept]
        out = f"-state-out=../{layer.folder.name}.tfstate"
        for address in mine:
            layer.must("state", "mv", f"-state={state}", out, "-backup=-", "-backup-out=-", address, address)
        changes = layer.plan()["resource_changes"]
        layer.apply()
        kept -= set(mine)

        destructive = [change["address"] for change in changes if tuple(change["change"]["actions"]) not in HARMLESS]
        assert destructive == []
        assert not {change["address"] for change in changes if change["change"]["actions"] == ["create"]} & set(mine)

    assert kept == set()
    left: Json = json.loads(state.read_text())["resources"]
    assert [resource for resource in left if resource["mode"] == "managed"] == []
