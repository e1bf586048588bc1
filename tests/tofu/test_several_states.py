"""Several states of one app in the real engine: each stack reads what was applied before it, encrypted or not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.subnet import AwsSubnet
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.synth.app import App, TerraformOutput, TerraformStack
from aeterna.synth.backends import keep_beside
from aeterna.synth.encryption import StateKey, encrypt_state

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.tofu_engine import Engine, Json, Workspace

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

PASSPHRASE = "canary-correct-horse-battery"
NETWORK, DATA = "network", "data"


def made(app: App, id_: str) -> TerraformStack:
    """Return an empty stack whose state is beside its siblings'."""
    stack = TerraformStack(app, id_)
    AwsProvider(stack, "aws", region="eu-north-1")
    keep_beside(stack)
    return stack


def synthesized_to(folder: Path, *, key: StateKey | None = None) -> None:
    """Write a network, and a stack beside it that refers to the network's objects and depends on one of them."""
    app = App(outdir=str(folder))
    network, data = made(app, NETWORK), made(app, DATA)
    vpc = AwsVpc(network, "Vpc", cidr_block="10.0.0.0/16")
    subnet = AwsSubnet(data, "Subnet", vpc_id=vpc.id, tags={"of": f"<{vpc.arn}>"}, depends_on=[vpc])
    for stack, value in ((network, vpc.id), (data, subnet.vpc_id)):
        TerraformOutput(stack, "vpc", value=value)
        if key is not None:
            encrypt_state(stack, key)
    app.synth()


def stack_in(tofu: Engine, folder: Path, name: str) -> Workspace:
    """Return one stack where the CDK wrote it, ready to be planned."""
    workspace = tofu.workspace(folder / "stacks" / name)
    workspace.init()
    return workspace


def applied(workspace: Workspace) -> Workspace:
    """Return the workspace with everything made."""
    workspace.plan()
    workspace.apply()
    return workspace


@pytest.fixture
def pbkdf2() -> StateKey:
    """Return a key that is made from a passphrase and asks no cloud."""
    return StateKey(provider="pbkdf2", settings={"passphrase": PASSPHRASE, "iterations": 200_000})


def test_a_stack_reads_what_the_stack_before_it_made(tofu: Engine, tmp_path: Path) -> None:
    synthesized_to(tmp_path)
    network = applied(stack_in(tofu, tmp_path, NETWORK))

    data = applied(stack_in(tofu, tmp_path, DATA))

    assert data.outputs()["vpc"] == network.outputs()["vpc"]
    assert not data.has_changes()


def test_a_stack_whose_predecessor_was_not_applied_is_not_planned(tofu: Engine, tmp_path: Path) -> None:
    """Nothing is ever planned against something unknown: there is no state to read, and that is an error."""
    synthesized_to(tmp_path)

    outcome = stack_in(tofu, tmp_path, DATA).run("plan", "-no-color", "-input=false")

    assert not outcome.succeeded
    assert "Unable to find remote state" in outcome.output


def test_the_states_outlive_the_folders_of_the_stacks(tofu: Engine, tmp_path: Path) -> None:
    """The CDK's command line deletes the folder of a stack that was renamed; its resources still exist."""
    synthesized_to(tmp_path)
    applied(stack_in(tofu, tmp_path, NETWORK))

    shutil.rmtree(tmp_path / "stacks" / NETWORK)

    assert (tmp_path / "stacks" / f"{NETWORK}.tfstate").stat().st_size


def test_a_stack_reads_an_encrypted_state(tofu: Engine, tmp_path: Path, pbkdf2: StateKey) -> None:
    synthesized_to(tmp_path, key=pbkdf2)
    network = applied(stack_in(tofu, tmp_path, NETWORK))

    data = applied(stack_in(tofu, tmp_path, DATA))

    assert data.outputs()["vpc"] == network.outputs()["vpc"]
    assert all(b"aws_vpc" not in state.read_bytes() for state in (tmp_path / "stacks").glob("*.tfstate"))


def test_an_encrypted_state_is_not_read_without_being_told_how(tofu: Engine, tmp_path: Path, pbkdf2: StateKey) -> None:
    """Why the block for remote states is written: the stack's own key alone is not tried on them."""
    synthesized_to(tmp_path, key=pbkdf2)
    applied(stack_in(tofu, tmp_path, NETWORK))
    configuration = tmp_path / "stacks" / DATA / "cdk.tf.json"
    document: Json = json.loads(configuration.read_text())
    del document["terraform"]["encryption"]["remote_state_data_sources"]
    configuration.write_text(json.dumps(document))

    outcome = stack_in(tofu, tmp_path, DATA).run("plan", "-no-color", "-input=false")

    assert not outcome.succeeded
    assert "state file is encrypted" in outcome.output


@pytest.mark.parametrize(
    ("provider", "settings", "lacking"),
    [
        (
            "aws_kms",
            {"kms_key_id": "alias/state", "key_spec": "AES_256", "region": "eu-north-1"},
            "No valid credential sources found",
        ),
        (
            "gcp_kms",
            {"kms_encryption_key": "projects/p/locations/l/keyRings/r/cryptoKeys/k", "key_length": 32},
            "could not find default credentials",
        ),
        (
            "azure_vault",
            {"vault_uri": "https://acme-state.vault.azure.net/", "vault_key_name": "k", "key_length": 32},
            "No valid azure auth methods found",
        ),
    ],
    ids=["aws_kms", "gcp_kms", "azure_vault"],
)
def test_the_engine_knows_the_settings_of_a_clouds_key(
    tofu: Engine, tmp_path: Path, provider: str, settings: dict[str, object], lacking: str
) -> None:
    """It gets as far as looking for credentials, which are not there: it had nothing against the settings."""
    nowhere = replace(tofu, environment={**tofu.environment, "AWS_EC2_METADATA_DISABLED": "true"})
    synthesized_to(tmp_path, key=StateKey(provider=provider, settings=settings))

    outcome = nowhere.workspace(tmp_path / "stacks" / NETWORK).run("plan", "-no-color", "-input=false")

    assert not outcome.succeeded
    assert lacking in outcome.output
