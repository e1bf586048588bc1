"""The life of a resource in the offline engine: planned, applied, left alone, moved, imported, protected, destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.tofu_engine import files_that_hold

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.tofu_engine import Engine, Json, Workspace

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

CANARY = "canary-c2VjcmV0"


def database(**more: Json) -> Json:
    """Return a database and the key that it is encrypted with."""
    configuration: Json = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "provider": {"aws": {"region": "eu-north-1"}},
        "data": {"aws_availability_zones": {"zones": {}}},
        "resource": {
            "aws_kms_key": {"key": {}},
            "aws_db_instance": {
                "database": {
                    "instance_class": "db.t4g.medium",
                    "availability_zone": "${element(data.aws_availability_zones.zones.names, 2)}",
                    "kms_key_id": "${aws_kms_key.key.arn}",
                }
            },
        },
        "output": {
            "key": {"value": '${split(":", aws_kms_key.key.arn)[2]}'},
            "zone": {"value": "${aws_db_instance.database.availability_zone}"},
        },
    }
    return configuration | more


def applied_secret(tofu: Engine, folder: Path, *, argument: str) -> Workspace:
    """Return a workspace whose database got the canary through the argument, from a variable that is kept nowhere."""
    configuration = database(variable={"password": {"type": "string", "ephemeral": argument.endswith("_wo")}})
    configuration["resource"]["aws_db_instance"]["database"][argument] = "${var.password}"
    workspace = tofu.with_variables(password=CANARY).workspace(folder, configuration)
    workspace.init()
    workspace.plan()
    workspace.apply()
    return workspace


@pytest.fixture
def applied(tofu: Engine, tmp_path: Path) -> Workspace:
    """Return a workspace whose database and key exist."""
    workspace = tofu.workspace(tmp_path, database())
    workspace.init()
    workspace.plan()
    workspace.apply()
    return workspace


def actions(plan: Json) -> dict[str, list[str]]:
    """Return what the plan does to each resource."""
    return {change["address"]: change["change"]["actions"] for change in plan["resource_changes"]}


def test_what_the_cloud_decides_is_unknown_until_apply(tofu: Engine, tmp_path: Path) -> None:
    workspace = tofu.workspace(tmp_path, database())
    workspace.init()

    plan = workspace.plan()

    unknown = {change["address"]: change["change"]["after_unknown"] for change in plan["resource_changes"]}
    assert unknown["aws_kms_key.key"]["arn"] is True
    assert unknown["aws_db_instance.database"]["kms_key_id"] is True
    assert "after" not in plan["output_changes"]["key"] or plan["output_changes"]["key"]["after_unknown"] is True


def test_apply_invents_values_that_functions_can_take_apart(applied: Workspace) -> None:
    outputs = applied.outputs()

    assert outputs == {"key": "kms", "zone": "eu-north-1c"}


def test_what_was_applied_needs_no_further_change(applied: Workspace) -> None:
    assert not applied.has_changes()


def test_a_changed_argument_is_a_change_in_place(tofu: Engine, applied: Workspace) -> None:
    larger = database()
    larger["resource"]["aws_db_instance"]["database"]["instance_class"] = "db.r8g.large"

    plan = tofu.workspace(applied.folder, larger).plan()

    assert actions(plan) == {"aws_kms_key.key": ["no-op"], "aws_db_instance.database": ["update"]}


def test_a_write_only_secret_is_in_no_file_of_the_workspace(tofu: Engine, tmp_path: Path) -> None:
    """The state and the plan are copied and mailed; a secret that is in one of them is public."""
    workspace = applied_secret(tofu, tmp_path, argument="password_wo")

    assert files_that_hold(CANARY, workspace.folder) == []


def test_an_ordinary_secret_would_be_found_in_state_and_plan(tofu: Engine, tmp_path: Path) -> None:
    """Without this the search above could be blind."""
    workspace = applied_secret(tofu, tmp_path, argument="password")

    assert files_that_hold(CANARY, workspace.folder) == ["terraform.tfstate", "tfplan/tfplan"]


def with_a_renamed_key(**more: Json) -> Json:
    configuration = database(**more)
    configuration["resource"]["aws_kms_key"] = {"vault": {}}
    configuration["resource"]["aws_db_instance"]["database"]["kms_key_id"] = "${aws_kms_key.vault.arn}"
    del configuration["output"]["key"]
    return configuration


def test_a_moved_resource_is_not_replaced(tofu: Engine, applied: Workspace) -> None:
    renamed = with_a_renamed_key(moved=[{"from": "aws_kms_key.key", "to": "aws_kms_key.vault"}])

    plan = tofu.workspace(applied.folder, renamed).plan()

    assert set(map(tuple, actions(plan).values())) == {("no-op",)}


def test_a_renamed_resource_is_replaced(tofu: Engine, applied: Workspace) -> None:
    """What `moved` is for: without it the engine destroys somebody's key."""
    renamed = with_a_renamed_key()

    plan = tofu.workspace(applied.folder, renamed).plan()

    assert actions(plan)["aws_kms_key.key"] == ["delete"]
    assert actions(plan)["aws_kms_key.vault"] == ["create"]


def test_an_existing_resource_is_imported_by_its_identifier(tofu: Engine, tmp_path: Path) -> None:
    configuration: Json = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "import": [{"to": "aws_kms_key.theirs", "id": "key-of-the-customer"}],
        "resource": {"aws_kms_key": {"theirs": {}}},
        "output": {"id": {"value": "${aws_kms_key.theirs.id}"}},
    }
    workspace = tofu.workspace(tmp_path, configuration)
    workspace.init()
    workspace.plan()

    workspace.apply()

    assert workspace.outputs() == {"id": "key-of-the-customer"}


def test_a_protected_resource_cannot_be_destroyed(tofu: Engine, applied: Workspace) -> None:
    protected = database()
    protected["resource"]["aws_kms_key"]["key"]["lifecycle"] = {"prevent_destroy": True}

    outcome = tofu.workspace(applied.folder, protected).run("destroy", "-no-color", "-auto-approve")

    assert not outcome.succeeded
    assert "prevent_destroy" in outcome.output
    assert applied.state()["values"]["root_module"]["resources"]


def test_an_unprotected_resource_is_destroyed(applied: Workspace) -> None:
    applied.must("destroy", "-no-color", "-auto-approve")

    assert "root_module" not in applied.state().get("values", {})


def test_two_resources_with_one_configuration_are_two_things(tofu: Engine, tmp_path: Path) -> None:
    twins: Json = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "resource": {"aws_kms_key": {"twin": {"count": 2}}},
        "output": {"ids": {"value": "${toset(aws_kms_key.twin[*].id)}"}},
    }
    workspace = tofu.workspace(tmp_path, twins)
    workspace.init()
    workspace.plan()

    workspace.apply()

    assert len(workspace.outputs()["ids"]) == 2


def test_an_ephemeral_value_reaches_a_write_only_argument(tofu: Engine, tmp_path: Path) -> None:
    configuration: Json = database(ephemeral={"random_password": {"initial": {"length": 32}}})
    configuration["terraform"]["required_providers"]["random"] = {"source": "hashicorp/random"}
    configuration["resource"]["aws_db_instance"]["database"] |= {
        "password_wo": "${ephemeral.random_password.initial.result}",
        "password_wo_version": 1,
    }
    workspace = tofu.workspace(tmp_path, configuration)
    workspace.init()
    workspace.plan()

    workspace.apply()

    assert not workspace.has_changes()
