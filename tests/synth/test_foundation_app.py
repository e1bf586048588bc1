"""The app of the example stacks: what ``python -P -m aeterna.stacks`` and the CDK's command line run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import aeterna.stacks.foundation as neutral
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.foundation import LONGEST_ENVIRONMENT, FoundationSpec
from aeterna.contracts.naming import NAME
from aeterna.contracts.state import StateSpec
from aeterna.stacks.foundation import Foundation
from aeterna.synth import testing
from aeterna.synth.registry import cloud
from aeterna.synth.testing import Document, synthesized

ROOT = Path(__file__).parents[2]
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"

LIMITS = {
    ("aws_cloudwatch_log_group", "name"): r"[.\-_/#A-Za-z0-9]{1,512}",
    ("aws_db_instance", "identifier"): r"[a-z](?:-?[a-z0-9]){0,62}",
    ("aws_db_parameter_group", "name_prefix"): r"[a-z][a-z0-9-]{0,228}",
    ("aws_db_subnet_group", "name"): r"[a-z0-9 ._-]{1,255}",
    ("aws_eks_cluster", "name"): r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}",
    ("aws_eks_node_group", "node_group_name_prefix"): r"[0-9A-Za-z][A-Za-z0-9_-]{0,36}",
    ("aws_elasticache_replication_group", "replication_group_id"): r"[a-z](?:-?[a-z0-9]){0,39}",
    ("aws_elasticache_user", "user_id"): r"[a-z](?:-?[a-z0-9]){0,39}",
    ("aws_elasticache_user_group", "user_group_id"): r"[a-z](?:-?[a-z0-9]){0,39}",
    ("aws_glue_catalog_database", "name"): r"[a-z0-9_]{1,255}",
    ("aws_iam_role", "name_prefix"): r"[\w+=,.@-]{1,38}",
    ("aws_iam_role_policy", "name"): r"[\w+=,.@-]{1,128}",
    ("aws_kms_alias", "name"): r"alias/[a-zA-Z0-9/_-]{1,250}",
    ("aws_launch_template", "name_prefix"): r"[a-zA-Z0-9()./_-]{1,102}",
    ("aws_s3_bucket", "bucket"): r"[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]",
    ("aws_security_group", "name_prefix"): r"(?!sg-)[\w .:/()#,@\[\]+=&;{}!$*-]{1,229}",
}
"""By type and argument; a prefix leaves room for the 26 characters that the provider appends."""


def synthesize(folder: Path, *, seed: str) -> dict[str, bytes]:
    """Run the app in a process with nothing on PATH and no home, as on a fresh machine."""
    environment = {"CDKTF_OUTDIR": str(folder), "PYTHONHASHSEED": seed, "PATH": "", "HOME": "/nonexistent"}
    subprocess.run(
        [sys.executable, "-P", "-m", "aeterna.stacks"],
        cwd=folder.parent,
        env=environment,
        check=True,
        capture_output=True,
    )
    return {path.parent.name: path.read_bytes() for path in folder.glob("stacks/*/cdk.tf.json")}


def with_state(state: StateSpec, *, region: str = "eu-west-1") -> Document:
    spec = FoundationSpec(name="prod", region=region, owner="acme", state=state)
    return synthesized(Foundation(testing.app(), "prod", cloud=cloud("aws"), spec=spec))


def test_two_syntheses_are_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    first = synthesize(tmp_path / "first", seed="1")
    second = synthesize(tmp_path / "second", seed="2")

    assert set(first) == {"payments", "prod-eu"}
    assert first == second


def test_the_command_line_of_the_cdk_runs_the_same_app() -> None:
    project = json.loads((ROOT / "cdktf.json").read_text())

    assert project["app"] == ".venv/bin/python -P -m aeterna.stacks"
    assert project["language"] == "python"


def test_the_foundation_names_no_cloud() -> None:
    """It is written once: what a fourth cloud needs is a folder of its own, and no edit here."""
    source = Path(neutral.__file__).read_text()

    assert not re.findall(r"(?i)\b(aws|eks|rds|s3|kms|gcp|gke|google|azure|aks)\b", source)


def test_a_foundation_is_composed_on_a_cloud_that_was_found_by_name() -> None:
    spec = FoundationSpec(name="prod", region="eu-west-1", owner="acme", tags={"cost-center": "42"})

    document = synthesized(Foundation(testing.app(), "prod", cloud=cloud("aws"), spec=spec))

    (provider,) = document.json["provider"]["aws"]
    assert provider["region"] == "eu-west-1"
    assert provider["default_tags"][0]["tags"] == {"aeterna:environment": "prod", "cost-center": "42"}


def test_a_state_is_locked_by_its_bucket_and_encrypted_before_it_gets_there() -> None:
    document = with_state(StateSpec(bucket="acme-states", key=KEY))

    backend = document.json["terraform"]["backend"]["s3"]
    encryption = document.json["terraform"]["encryption"]
    assert backend == {
        "bucket": "acme-states",
        "encrypt": True,
        "key": "aeterna/prod.tfstate",
        "kms_key_id": KEY,
        "region": "eu-west-1",
        "use_lockfile": True,
    }
    assert encryption["key_provider"]["aws_kms"]["state"]["kms_key_id"] == KEY
    assert encryption["state"] == encryption["plan"] == {"enforced": True, "method": "method.aes_gcm.state"}


def test_a_state_without_a_key_is_left_to_the_buckets_own_encryption() -> None:
    document = with_state(StateSpec(bucket="acme-states", path="platform/eu", region="eu-central-1"))

    assert "encryption" not in document.json["terraform"]
    assert document.json["terraform"]["backend"]["s3"]["region"] == "eu-central-1"
    assert document.json["terraform"]["backend"]["s3"]["key"] == "platform/eu/prod.tfstate"


def test_a_state_key_must_be_an_arn_because_no_alias_is_resolved_before_the_state_is_read() -> None:
    with pytest.raises(InvalidSpecError, match="full ARN"):
        with_state(StateSpec(bucket="acme-states", key="1234"))


@pytest.mark.parametrize(
    "region", ["eu-west", "eu-west-1a", "europe-west1", "westeurope", "cn-north-1", "us-gov-west-1"]
)
def test_a_region_that_aws_does_not_have_is_refused(region: str) -> None:
    spec = FoundationSpec(name="prod", region=region, owner="acme")

    with pytest.raises(InvalidSpecError, match="not a region of AWS"):
        Foundation(testing.app(), "prod", cloud=cloud("aws"), spec=spec)


@settings(max_examples=5, deadline=None)
@given(
    name=st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= LONGEST_ENVIRONMENT),
    region=st.sampled_from(("ap-southeast-4", "ap-northeast-3", "eu-central-1", "me-central-1")),
)
@example(name="e" * LONGEST_ENVIRONMENT, region="ap-southeast-4")
def test_every_name_of_an_environment_that_is_accepted_fits_the_limit_of_its_service(name: str, region: str) -> None:
    """The limits are those of the services' API references; what is generated has to fit them with its suffix."""
    spec = FoundationSpec(name=name, region=region, owner="o" * LONGEST_ENVIRONMENT)

    document = synthesized(Foundation(testing.app(), "longest", cloud=cloud("aws"), spec=spec))

    too_long = [
        (kind, argument, resource[argument])
        for (kind, argument), limit in LIMITS.items()
        for resource in document.resources(kind).values()
        if argument in resource and not re.fullmatch(limit, resource[argument])
    ]
    assert too_long == []
