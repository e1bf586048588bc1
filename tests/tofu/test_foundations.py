"""Takes the foundation of every cloud through its layers with the real engine: each is planned on what is there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from aeterna.contracts.schema import foundation_schema
from fixtures.canaries import CANARY, INVENTED
from fixtures.deployments import deploy
from fixtures.foundations import REGIONS, pairwise
from fixtures.tofu_engine import files_that_hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aeterna.service.json_value import JsonValue
    from fixtures.deployments import Deployment
    from fixtures.foundations import Case
    from fixtures.tofu_engine import Engine, Json

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

# Attributes that hold a secret in clear text when they hold anything at all.
SECRETS = {
    "auth_token",
    "master_password",
    "password",
    "passwords",
    "primary_access_key",
    "primary_connection_string",
    "private_key",
    "secondary_access_key",
    "secret_data",
    "secret_string",
    "server_root_password",
}


@pytest.fixture(scope="module", params=sorted(REGIONS))
def deployment(request: pytest.FixtureRequest, deployment_of: Callable[[str], Deployment]) -> Deployment:
    """Return the critical foundation of each cloud in turn, applied."""
    cloud: str = request.param
    return deployment_of(cloud)


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

    contract: Any = jsonschema.Draft202012Validator(foundation_schema())  # its stubs leave the errors' type open
    problems = [f"{error.json_path}: {error.message}" for error in contract.iter_errors(told)]

    assert problems == []


def test_no_secret_is_in_any_state(deployment: Deployment) -> None:
    leaks = [
        f"{layer}: {resource['address']}.{path}"
        for layer, workspace in deployment.layers.items()
        for resource in workspace.state()["values"]["root_module"].get("resources", [])
        for path, value in leaves(resource["values"])
        if path.rsplit(".", 1)[-1] in SECRETS and value and not opens_nothing(resource["values"])
    ]

    assert leaks == []


@pytest.mark.parametrize("secret", [CANARY, INVENTED], ids=["of the environment", "of the run"])
def test_a_secret_is_in_no_file_that_is_left_behind(secret: str, deployment: Deployment) -> None:
    """Neither what whoever applies logs in with, nor a password that was invented for this one run."""
    holders = [
        f"{layer}: {name}"
        for layer, workspace in deployment.layers.items()
        for folder in (workspace.folder, workspace.folder.parent)
        for name in files_that_hold(secret, folder)
    ]
    told = [
        layer
        for layer, workspace in deployment.layers.items()
        if secret in json.dumps([deployment.plans[layer], workspace.state(), workspace.outputs()])
    ]

    assert holders == []
    assert told == []


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


def opens_nothing(values: Json) -> bool:
    """Whether the service refuses the keys that it always tells: logins by key are switched off."""
    databases: Json = values.get("default_database") or [{}]
    by_key = [values.get("shared_access_key_enabled"), databases[0].get("access_keys_authentication_enabled")]
    return False in by_key or values.get("local_account_disabled") is True


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
