"""Takes every example stack through init, validate, plan, apply and destroy with the real engine, offline."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter

from aeterna.contracts.foundation import FoundationOutputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from aeterna.service.json_value import JsonValue
    from fixtures.tofu_engine import Engine, Json, Workspace

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

EXAMPLES = ("payments", "prod-eu")
# State is a file of the test's own: where an example keeps its state is a bucket that is not there.
LOCAL_STATE: Json = {"terraform": {"backend": {"local": {}}}}
# Attributes that hold a secret in clear text when they hold anything at all.
SECRETS = {"password", "passwords", "master_password", "auth_token", "secret_string", "private_key"}


@pytest.fixture(scope="module", params=EXAMPLES)
def example(
    request: pytest.FixtureRequest, tofu: Engine, synthesized_examples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """Return a workspace that holds one example stack."""
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    shutil.copy(synthesized_examples / "stacks" / name / "cdk.tf.json", folder)
    (folder / "state_override.tf.json").write_text(json.dumps(LOCAL_STATE))
    workspace = tofu.workspace(folder)
    workspace.init()
    return workspace


@pytest.fixture(scope="module")
def planned(example: Workspace) -> Json:
    """Return the plan of an example that nobody applied yet."""
    return example.plan()


@pytest.fixture(scope="module")
def applied(example: Workspace, planned: Json) -> Workspace:
    """Return the workspace of an example that was applied."""
    assert planned
    example.apply()
    return example


def test_every_example_is_tested(synthesized_examples: Path) -> None:
    manifest: Json = json.loads((synthesized_examples / "manifest.json").read_text())

    assert tuple(sorted(manifest["stacks"])) == EXAMPLES


def test_an_example_has_no_problems(example: Workspace) -> None:
    """Not even a warning: a deprecated argument is one."""
    assert example.problems() == []


def test_a_first_plan_only_creates(example: Workspace, planned: Json) -> None:
    configured: Json = json.loads((example.folder / "cdk.tf.json").read_text())["resource"]
    addresses = {f"{kind}.{name}" for kind, named in configured.items() for name in named}

    created = {change["address"] for change in planned["resource_changes"] if change["change"]["actions"] == ["create"]}

    assert created == addresses


def test_what_was_applied_needs_no_further_change(applied: Workspace) -> None:
    assert not applied.has_changes()


def test_no_secret_is_in_the_state(applied: Workspace) -> None:
    leaks = [
        f"{resource['address']}.{path}"
        for resource in applied.state()["values"]["root_module"]["resources"]
        for path, value in leaves(resource["values"])
        if path.rsplit(".", 1)[-1] in SECRETS and value
    ]

    assert leaks == []


@pytest.mark.parametrize("example", ["prod-eu"], indirect=True)
def test_the_outputs_of_a_foundation_keep_the_contract(applied: Workspace) -> None:
    """Whatever the cloud: the platform reads these names and no others, and a name without a value is a broken one."""
    found = {path: str(value) for path, value in leaves(applied.outputs()["foundation"])}
    contract = TypeAdapter(FoundationOutputs)

    promised = contract.dump_python(contract.validate_python(with_text(applied.outputs()["foundation"])), mode="json")

    assert dict(leaves(promised)) | {".version": str(FoundationOutputs.version)} == found
    assert all(found.values())


def test_a_protected_example_cannot_be_destroyed(applied: Workspace) -> None:
    before = applied.state()

    outcome = applied.run("destroy", "-no-color", "-auto-approve")

    assert not outcome.succeeded
    assert "prevent_destroy" in outcome.output
    assert applied.state() == before


def test_an_example_whose_protection_was_lifted_is_destroyed_in_order(applied: Workspace) -> None:
    """A network under a cluster, or a key under a database, cannot go first: the cloud would refuse, or lose data."""
    lift_protection(applied.folder / "cdk.tf.json")

    gone = destroyed(applied.must("destroy", "-json", "-auto-approve"))

    assert "root_module" not in applied.state().get("values", {})
    for first, second in (
        ("aws_db_instance", "aws_kms_key"),
        ("aws_eks_node_group", "aws_eks_cluster"),
        ("aws_eks_cluster", "aws_subnet"),
        ("aws_s3_bucket", "aws_kms_key"),
        ("aws_subnet", "aws_vpc"),
    ):
        if first in gone and second in gone:
            assert max(gone[first]) < max(gone[second]), f"{second} went before {first}"


def lift_protection(configuration: Path) -> None:
    """Do what an operator has to do on purpose before a destroy."""
    document: Json = json.loads(configuration.read_text())
    for named in document["resource"].values():
        for resource in named.values():
            resource.get("lifecycle", {}).pop("prevent_destroy", None)
    configuration.write_text(json.dumps(document))


def destroyed(events: str) -> Mapping[str, list[int]]:
    """Return at which places in the order of the destruction each type of resource went."""
    order: dict[str, list[int]] = {}
    for place, line in enumerate(events.splitlines()):
        event: Json = json.loads(line)
        if event["type"] == "apply_complete" and event["hook"]["action"] == "delete":
            order.setdefault(event["hook"]["resource"]["resource_type"], []).append(place)
    return order


def leaves(value: JsonValue, path: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Yield every scalar in a tree of JSON with its dotted path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}.{place}")
    else:
        yield path, value


def with_text(value: JsonValue) -> JsonValue:
    """Return the tree with every scalar as text, which is what a deploy-time value is in the contract."""
    if isinstance(value, dict):
        return {name: with_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [with_text(inner) for inner in value]
    return str(value)
