"""Takes every example through init, validate, plan, apply and destroy with the real engine, offline."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.tofu_engine import Engine, Json, Workspace

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

ALONE = ("beside", "lakehouse", "payments", "support")
"""Examples that are one stack each."""

LAYERS = ("bootstrap", "network", "data", "cluster")

TOGETHER = {
    "prod-eu": LAYERS,
    "trial-azure": LAYERS,
    "trial-gcp": LAYERS,
    "agents": (*LAYERS, "platform", "team"),
}
"""Examples that are a foundation each, with what stands on it; what all foundations have in common is tested there."""

LIFTED = ("-var", "protected=false")

ORDER = (
    ("aws_db_instance", "aws_kms_key"),
    ("aws_eks_cluster", "aws_subnet"),
    ("aws_eks_node_group", "aws_eks_cluster"),
    # The bucket itself does not refer to its key, so the two go in any order; a key is only scheduled for deletion, and
    # can be called back for its whole grace.
    ("aws_s3_bucket_server_side_encryption_configuration", "aws_kms_key"),
    ("aws_subnet", "aws_vpc"),
    ("azurerm_kubernetes_cluster", "azurerm_subnet"),
    ("azurerm_postgresql_flexible_server", "azurerm_key_vault_key"),
    ("azurerm_storage_account", "azurerm_key_vault_key"),
    ("azurerm_subnet", "azurerm_virtual_network"),
    ("google_container_cluster", "google_compute_subnetwork"),
    ("google_sql_database_instance", "google_kms_crypto_key_iam_member"),
    ("google_storage_bucket", "google_kms_crypto_key_iam_member"),
    ("google_compute_subnetwork", "google_compute_network"),
)
"""Which kind has to be gone before which: the cloud would refuse, or lose data."""


def copied(stacks: Path, names: tuple[str, ...], folder: Path) -> list[Path]:
    """Copy stacks to where they may be applied: their states come to lie beside them."""
    return [Path(shutil.copytree(stacks / name, folder / name)) for name in names]


@pytest.fixture(scope="module", params=ALONE)
def example(
    request: pytest.FixtureRequest, tofu: Engine, synthesized_examples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """Return a workspace that holds one example stack."""
    name: str = request.param
    (folder,) = copied(synthesized_examples / "stacks", (name,), tmp_path_factory.mktemp(name))
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

    assert set(manifest["stacks"]) == {
        *ALONE,
        *(f"{name}-{layer}" for name, layers in TOGETHER.items() for layer in layers),
    }


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


def test_a_protected_example_cannot_be_destroyed(applied: Workspace) -> None:
    before = applied.state()

    outcome = applied.run("destroy", "-no-color", "-auto-approve")

    assert not outcome.succeeded
    assert "prevent_destroy" in outcome.output
    assert applied.state() == before


def test_an_example_whose_protection_was_lifted_is_destroyed_in_order(applied: Workspace) -> None:
    """A network under a cluster, or a key under a database, cannot go first: the cloud would refuse, or lose data."""
    gone = destroyed(applied.must("destroy", "-json", "-auto-approve", *LIFTED))

    assert "root_module" not in applied.state().get("values", {})
    assert gone
    for first, second in ORDER:
        if first in gone and second in gone:
            assert max(gone[first]) < max(gone[second]), f"{second} went before {first}"


@pytest.mark.parametrize("name", TOGETHER)
def test_an_example_of_several_stacks_is_applied_one_after_the_other(
    name: str, tofu: Engine, synthesized_examples: Path, tmp_path: Path
) -> None:
    stacks = tuple(f"{name}-{layer}" for layer in TOGETHER[name])
    for folder in copied(synthesized_examples / "stacks", stacks, tmp_path):
        workspace = tofu.workspace(folder)
        workspace.init()
        assert workspace.problems() == [], folder.name
        workspace.plan()
        workspace.apply()
        assert not workspace.has_changes(), folder.name


def destroyed(events: str) -> Mapping[str, list[int]]:
    """Return at which places in the order of the destruction each type of resource went."""
    order: dict[str, list[int]] = {}
    for place, line in enumerate(events.splitlines()):
        event: Json = json.loads(line)
        if event["type"] == "apply_complete" and event["hook"]["action"] == "delete":
            order.setdefault(event["hook"]["resource"]["resource_type"], []).append(place)
    return order
