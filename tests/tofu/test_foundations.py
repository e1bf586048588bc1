"""Takes the foundation of every cloud through its layers with the real engine: each is planned on what is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jsonschema
import pytest

from aeterna.contracts.schema import foundation_schema
from aeterna.contracts.sizes import Size
from fixtures.foundations import REGIONS, Case, pairwise, write
from fixtures.tofu_engine import Json, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fixtures.tofu_engine import Engine

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

# Attributes that hold a secret in clear text when they hold anything at all.
SECRETS = {
    "auth_token",
    "master_password",
    "password",
    "passwords",
    "primary_access_key",
    "private_key",
    "secret_data",
    "secret_string",
    "server_root_password",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A foundation that was applied, layer by layer."""

    layers: Mapping[str, Workspace]
    plans: Mapping[str, Json]

    @property
    def last(self) -> Workspace:
        """The layer that tells what there is."""
        return self.layers["cluster"]


def deploy(tofu: Engine, case: Case, folder: Path) -> Deployment:
    """Validate, plan and apply each layer on the states of those before it, as a user does."""
    layers: dict[str, Workspace] = {}
    plans: dict[str, Json] = {}
    for place in write(case, folder):
        layer = place.name.removeprefix("prod-")
        workspace = tofu.workspace(place)
        workspace.init()
        problems = workspace.problems()
        assert problems == [], f"{layer}: {problems}"
        plans[layer] = workspace.plan()
        workspace.apply()
        layers[layer] = workspace
    return Deployment(layers=layers, plans=plans)


@pytest.fixture(scope="module", params=sorted(REGIONS))
def deployment(request: pytest.FixtureRequest, tofu: Engine, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Return the critical foundation of one cloud, applied."""
    cloud: str = request.param
    return deploy(tofu, Case(cloud=cloud, size=Size.CRITICAL, replicas=2), tmp_path_factory.mktemp(cloud))


def test_a_layer_is_planned_only_against_what_is_there(deployment: Deployment) -> None:
    """A value that is known only at apply makes plans that nobody can review, and providers that fall back."""
    for layer, workspace in deployment.layers.items():
        document: Json = json.loads((workspace.folder / "cdk.tf.json").read_text())
        named = document.get("data", {}).get("terraform_remote_state", {})
        prior = deployment.plans[layer].get("prior_state", {}).get("values", {}).get("root_module", {})

        known = {each["address"] for each in prior.get("resources", [])}

        assert {f"data.terraform_remote_state.{name}" for name in named} <= known, layer


def test_a_layer_that_was_applied_needs_no_further_change(deployment: Deployment) -> None:
    assert [layer for layer, workspace in deployment.layers.items() if workspace.has_changes()] == []


def test_the_last_layer_tells_what_the_contract_promises(deployment: Deployment) -> None:
    """Whatever the cloud: the platform reads these names and no others, and each has a value."""
    told = json.loads(json.dumps(deployment.last.outputs()["foundation"]))

    problems = [
        f"{error.json_path}: {error.message}"
        for error in jsonschema.Draft202012Validator(foundation_schema()).iter_errors(told)
    ]

    assert problems == []


def test_no_secret_is_in_any_state(deployment: Deployment) -> None:
    leaks = [
        f"{layer}: {resource['address']}.{path}"
        for layer, workspace in deployment.layers.items()
        for resource in workspace.state()["values"]["root_module"].get("resources", [])
        for path, value in leaves(resource["values"])
        if path.rsplit(".", 1)[-1] in SECRETS and value
    ]

    assert leaks == []


def test_what_holds_data_cannot_be_destroyed_by_mistake(deployment: Deployment) -> None:
    data = deployment.layers["data"]
    before = data.state()

    outcome = data.run("destroy", "-no-color", "-auto-approve")

    assert not outcome.succeeded
    assert "prevent_destroy" in outcome.output
    assert data.state() == before


@pytest.mark.parametrize("case", pairwise(), ids=str)
def test_every_choice_of_size_and_parts_is_valid_and_plans(case: Case, tofu: Engine, tmp_path: Path) -> None:
    """Every pair of choices occurs in one of these cases: a mistake that needs three of them at once is not found."""
    deployed = deploy(tofu, case, tmp_path)

    assert "foundation" in deployed.last.outputs()


def leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every scalar in a tree of JSON with its dotted path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}.{place}")
    else:
        yield path, value
