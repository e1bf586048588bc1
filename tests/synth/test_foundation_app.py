"""The app of the example stacks: what ``python -P -m aeterna.stacks`` and the CDK's command line run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import aeterna.stacks.foundation as neutral
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.foundation import FoundationSpec
from aeterna.contracts.state import StateSpec
from aeterna.stacks import layers
from aeterna.stacks.foundation import Foundation
from aeterna.synth import testing
from aeterna.synth.registry import cloud
from fixtures.foundations import REGIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.synth.testing import Document

ROOT = Path(__file__).parents[2]
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"

CLOUDS_NAMES = re.compile(r"(?i)\b(aws|eks|rds|s3|kms|gcp|gke|google|azure|aks)\b")


def synthesized(spec: FoundationSpec, *, name: str = "aws") -> Mapping[str, Document]:
    """Return the stacks of a foundation, by id."""
    app = testing.app()
    Foundation(app, "prod", cloud=cloud(name), spec=spec)
    return testing.documents(app)


def with_state(state: StateSpec, *, region: str = "eu-west-1") -> Mapping[str, Document]:
    return synthesized(FoundationSpec(name="prod", region=region, owner="acme", state=state))


def test_the_command_line_of_the_cdk_runs_the_same_app() -> None:
    project = json.loads((ROOT / "cdktf.json").read_text())

    assert project["app"] == ".venv/bin/python -P -m aeterna.stacks"
    assert project["language"] == "python"


@pytest.mark.parametrize("module", [neutral, layers], ids=lambda module: module.__name__)
def test_the_foundation_names_no_cloud(module: object) -> None:
    """It is written once: what a fourth cloud needs is a folder of its own, and no edit here."""
    source = Path(str(getattr(module, "__file__", ""))).read_text()

    assert not CLOUDS_NAMES.findall(source)


def test_a_foundation_is_composed_on_a_cloud_that_was_found_by_name() -> None:
    spec = FoundationSpec(name="prod", region="eu-west-1", owner="acme", tags={"cost-center": "42"})

    stacks = synthesized(spec)

    assert sorted(stacks) == ["prod-bootstrap", "prod-cluster", "prod-data", "prod-network"]
    for document in stacks.values():
        (provider,) = document.json["provider"]["aws"]
        assert provider["region"] == "eu-west-1"
        assert provider["default_tags"][0]["tags"] == {"aeterna:environment": "prod", "cost-center": "42"}


def test_each_state_is_locked_by_its_bucket_and_encrypted_before_it_gets_there() -> None:
    for stack, document in with_state(StateSpec(bucket="acme-states", key=KEY)).items():
        backend = document.json["terraform"]["backend"]["s3"]
        encryption = document.json["terraform"]["encryption"]

        assert backend == {
            "bucket": "acme-states",
            "encrypt": True,
            "key": f"aeterna/{stack}.tfstate",
            "kms_key_id": KEY,
            "region": "eu-west-1",
            "use_lockfile": True,
        }
        assert encryption["key_provider"]["aws_kms"]["state"]["kms_key_id"] == KEY
        assert encryption["state"] == encryption["plan"] == {"enforced": True, "method": "method.aes_gcm.state"}


def test_a_layer_reads_the_states_where_the_others_keep_them() -> None:
    """Encrypted like its own: OpenTofu tries no key on another stack's state unless it is told to."""
    stacks = with_state(StateSpec(bucket="acme-states", key=KEY))

    states = stacks["prod-cluster"].data("terraform_remote_state")

    assert {state["config"]["key"] for state in states.values()} == {
        f"aeterna/prod-{layer}.tfstate" for layer in ("bootstrap", "network", "data")
    }
    for document in stacks.values():
        assert document.json["terraform"]["encryption"]["remote_state_data_sources"]


def test_a_state_without_a_key_is_left_to_the_buckets_own_encryption() -> None:
    stacks = with_state(StateSpec(bucket="acme-states", path="platform/eu", region="eu-central-1"))

    for stack, document in stacks.items():
        assert "encryption" not in document.json["terraform"]
        assert document.json["terraform"]["backend"]["s3"]["region"] == "eu-central-1"
        assert document.json["terraform"]["backend"]["s3"]["key"] == f"platform/eu/{stack}.tfstate"


def test_a_state_key_must_be_an_arn_because_no_alias_is_resolved_before_the_state_is_read() -> None:
    with pytest.raises(InvalidSpecError, match="full ARN"):
        with_state(StateSpec(bucket="acme-states", key="1234"))


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("aws", "eu-west"),
        ("aws", "eu-west-1a"),
        ("aws", "cn-north-1"),
        ("aws", "us-gov-west-1"),
        ("azure", "europe-north"),
        ("azure", "chinanorth3"),
        ("gcp", "europe-west4-a"),
        ("gcp", "europe"),
        *((name, region) for name in REGIONS for other, (region, _) in REGIONS.items() if other != name),
    ],
)
def test_a_region_that_the_cloud_does_not_have_is_refused(name: str, region: str) -> None:
    """A zone, a continent, another cloud's region, or one of a partition where services have other names."""
    spec = FoundationSpec(name="prod", region=region, owner="acme")

    with pytest.raises(InvalidSpecError, match=r"not a region of|not .* region"):
        Foundation(testing.app(), "prod", cloud=cloud(name), spec=spec)
